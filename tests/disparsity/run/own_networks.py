"""Networks as users write them: those of the first part work, each of the others has one thing that a run cannot do."""

from __future__ import annotations

import functools
import threading

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from disparsity.stereo.spec import NetworkSpec


class Plain(nn.Module):
    """Three convolutions on both views; `more` are fields of the spec."""

    def __init__(self, **more):
        super().__init__()
        values = {"name": "x", "settings": {}, "divisor": 4, "mean": (0.5,) * 3, "std": (0.25,) * 3}
        self.spec = NetworkSpec(**{**values, "max_disparity": 16, "protected": ("head",), **more})
        self.body = nn.Conv2d(6, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.mid = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Conv2d(8, 1, 3, padding=1)

    def features(self, left, right):
        return self.mid(self.norm(self.body(torch.cat([left, right], 1))).relu()).relu()

    def forward(self, left, right):
        return self.head(self.features(left, right)).squeeze(1)


class Keyword(Plain):
    def features(self, left, right):
        inner = self.norm(input=self.body(input=torch.cat([left, right], 1))).relu()
        return self.mid(input=inner).relu()


KEPT = {}


class Cached(Plain):
    """A constant in a global dictionary, by a key without a device."""

    def forward(self, left, right):
        found = super().forward(left, right)
        if found.shape not in KEPT:
            KEPT[found.shape] = torch.linspace(0, 1, found.shape[-1], device=found.device)
        return found + KEPT[found.shape]


@functools.lru_cache
def ramp(size, device):
    return torch.linspace(0, 1, size, device=device)


class Lru(Plain):
    """A constant in the cache of a function."""

    def forward(self, left, right):
        found = super().forward(left, right)
        return found + ramp(found.shape[-1], found.device)


class ClassKept(Plain):
    """A constant in an attribute of the class."""

    kept = None

    def forward(self, left, right):
        found = super().forward(left, right)
        if ClassKept.kept is None:
            ClassKept.kept = torch.ones(1, device=found.device)
        return found + ClassKept.kept


class Numpy(Plain):
    """A number from NumPy, which needs no gradient."""

    def forward(self, left, right):
        return super().forward(left, right) + float(np.mean(left.detach().cpu().numpy()))


class TwoNames(Plain):
    """One BatchNorm in two places, as in the residual block of RAFT."""

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(8, 8, 1), self.norm)


class NumpyOut(Plain):
    def forward(self, left, right):
        return torch.from_numpy(super().forward(left, right).detach().numpy() * 1.0)


class NumpyGradient(Plain):
    def forward(self, left, right):
        return torch.from_numpy(super().forward(left, right).numpy())


class NoGradient(Plain):
    @torch.no_grad()
    def forward(self, left, right):
        return super().forward(left, right)


class ManyMaps(Plain):
    def forward(self, left, right):
        found = super().forward(left, right)
        return [found, found] if self.training else found


class ManyMapsAlways(Plain):
    def forward(self, left, right):
        return [super().forward(left, right)] * 3


class Frozen(Plain):
    def __init__(self):
        super().__init__()
        self.requires_grad_(False)


class Fails(Plain):
    def forward(self, left, right):
        raise KeyError("no such thing")


class FailsInTraining(Plain):
    def forward(self, left, right):
        assert not self.training, "two\nlines"
        return super().forward(left, right)


class OtherSettings(Plain):
    def __init__(self):
        super().__init__(settings={"width": 3})


class RandomWidth(Plain):
    def __init__(self):
        super().__init__()
        self.more = nn.Conv2d(8, int(torch.randint(1, 100_000, ())), 1)


@functools.lru_cache
def same():
    return Plain()


class ChangedInPlace(Plain):
    def features(self, left, right):
        found = super().features(left, right).exp()
        square = found * found
        found.add_(1)
        return square


class Keeps(Plain):
    def features(self, left, right):
        self.last = super().features(left, right)
        return self.last


class Locks(Plain):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


class ExtraState(Plain):
    def get_extra_state(self):
        return {"epoch": 1}

    def set_extra_state(self, state):
        pass


class NoLayers(nn.Module):
    def __init__(self):
        super().__init__()
        self.spec = Plain(protected=()).spec
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, left, right):
        return (left - right).mean(1) * self.scale


class Dictionary(Plain):
    def forward(self, left, right):
        return {"disparity": super().forward(left, right)}


class MoreArguments(Plain):
    def forward(self, left, right, iterations):
        return super().forward(left, right)


class OneSize(Plain):
    def forward(self, left, right):
        return super().forward(left, right) + torch.zeros(32, 64)


class Direct(Plain):
    def features(self, left, right):
        return self.mid.forward(self.norm(self.body(torch.cat([left, right], 1))).relu()).relu()


class Functional(Plain):
    def features(self, left, right):
        return F.conv2d(self.norm(self.body(torch.cat([left, right], 1))), self.mid.weight, self.mid.bias, padding=1)


class Strides(Plain):
    """One layer with two strides."""

    def features(self, left, right):
        self.body.stride = (2, 2)
        found = self.body(torch.cat([left, right], 1))
        self.body.stride = (1, 1)
        return F.interpolate(self.mid(found), scale_factor=2.0)
