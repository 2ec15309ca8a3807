"""A second device for machines without one: real numbers behind tensors that pretend to lie elsewhere.

Such a tensor says that it is on `FAR` and computes on the CPU. What a GPU refuses is refused: operations on tensors of
both devices (but for scalars, copies, and indices on the CPU into a far tensor), and conversion to NumPy. So whatever
code forgets to move, or creates on the default device, fails here as it would there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

FAR = torch.device("meta")
"""The one type of device that every build of torch knows besides the CPU; what is computed there has values here."""

_ATEN = torch.ops.aten
_MOVES = {_ATEN._to_copy.default, _ATEN.copy_.default, _ATEN.to.device, _ATEN.to.dtype_layout, _ATEN.to.other}
_READS = {_ATEN.index.Tensor}
_WRITES = {_ATEN.index_put.default, _ATEN.index_put_.default, _ATEN._index_put_impl_.default}


class FarTensor(Tensor):
    """A tensor that lies on `FAR`, with its values in `near`."""

    near: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, near: Tensor) -> FarTensor:
        layout = {"strides": near.stride(), "storage_offset": near.storage_offset()}
        return Tensor._make_wrapper_subclass(cls, near.shape, **layout, dtype=near.dtype, device=FAR)

    def __init__(self, near: Tensor) -> None:
        self.near = near

    @property
    def data(self) -> Tensor:
        """The values without history; setting them must reach `near`."""
        return self.detach()

    @data.setter
    def data(self, values: FarTensor) -> None:
        Tensor.data.__set__(self, values)
        self.near = values.near

    def tolist(self) -> Any:
        """The values; torch gives them from every device, but not from subclasses."""
        return self.near.tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _compute(func, args, kwargs or {})


class _Everywhere(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _compute(func, args, kwargs or {})


@contextmanager
def second_device() -> Iterator[torch.device]:
    """Inside, `FAR` is a device with values: ``.to(FAR)``, ``device=FAR`` and all that follows from them."""
    with _Everywhere():
        yield FAR


def _compute(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    leaves = tree_leaves((args, kwargs))
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    _refuse_mixture(func, args, tensors)
    asked = [leaf for leaf in leaves if isinstance(leaf, torch.device)]
    if not asked and not any(isinstance(tensor, FarTensor) for tensor in tensors):
        return func(*args, **kwargs)
    is_far = asked[0] == FAR if asked else any(isinstance(tensor, FarTensor) for tensor in tensors)
    args, kwargs = tree_map(_near, (args, kwargs))
    # what an operation returns that it was given, as in-place ones do, must stay the same object
    known = {id(_near(tensor)): tensor for tensor in tensors if isinstance(tensor, FarTensor) == is_far}

    def placed(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor) or id(leaf) in known:
            return known.get(id(leaf), leaf)
        return FarTensor(leaf) if is_far else leaf

    return tree_map(placed, func(*args, **kwargs))


def _near(leaf: Any) -> Any:
    """An argument as the CPU takes it."""
    if isinstance(leaf, torch.device):
        return torch.device("cpu")
    return leaf.near if isinstance(leaf, FarTensor) else leaf


def _refuse_mixture(func: Any, args: Any, tensors: list[Tensor]) -> None:
    if func in _MOVES:
        return
    if func in _READS | _WRITES:
        tensors = [args[0], *(args[2:3] if func in _WRITES else ())]
    strangers = [tuple(tensor.shape) for tensor in tensors if not isinstance(tensor, FarTensor) and tensor.dim()]
    if strangers and any(isinstance(tensor, FarTensor) for tensor in tensors):
        raise RuntimeError(f"{func}: tensors {strangers} are on the CPU, others on the second device")
