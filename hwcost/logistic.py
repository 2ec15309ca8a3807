"""The probability of the next bit, learned while coding: logistic regression with an honest doubt per weight.

The log-odds of a bit are a known base plus a sum of features (this filter, this channel, these neighbours).
Every feature has a mean, at first 0, and a variance, at first what its kind usually spreads. After every bit
both move as in the extended Kalman filter with a diagonal covariance, so that a feature seen seldom is
believed little and costs little, and there is no learning rate to tune.
Source: W. D. Penny and S. J. Roberts, "Dynamic logistic regression", IJCNN 1999 (stationary case).
Arithmetic is +, -, *, / on IEEE doubles and one rounded table: every machine decodes the same.
"""

from __future__ import annotations

import math
from collections.abc import Hashable

from disparsity.hwcost.rangecoder import BitCoder

_STEPS = 256  # table entries per unit of log-odds: 0.2 % of a probability
_LIMIT = 11.0
_OFFSET = int(_LIMIT * _STEPS)
_SQUASH = [min(65535, max(1, round(65536 / (1 + math.exp(-index / _STEPS))))) for index in range(-_OFFSET, _OFFSET + 1)]
_ODDS = [probability / 65536 for probability in _SQUASH]


class LogisticModel:
    """The features of one stream, created when first named, and the coder they steer."""

    def __init__(self, coder: BitCoder) -> None:
        self.coder = coder
        self._means: list[float] = []
        self._variances: list[float] = []
        self._floors: list[float] = []
        self._indices: dict[Hashable, int] = {}

    def feature(self, variance: float, floor: float = 0.0) -> int:
        """A new feature of the given prior variance; a `floor` above 0 keeps it forgetting."""
        self._means.append(0.0)
        self._variances.append(variance)
        self._floors.append(floor)
        return len(self._means) - 1

    def features(self, count: int, variance: float) -> range:
        """`count` new features, numbered in a row."""
        start = len(self._means)
        self._means += [0.0] * count
        self._variances += [variance] * count
        self._floors += [0.0] * count
        return range(start, start + count)

    def named(self, name: Hashable, variance: float, floor: float = 0.0) -> int:
        """The feature called `name`, shared by everything that names it; created with the given prior."""
        index = self._indices.get(name)
        if index is None:
            index = self._indices[name] = self.feature(variance, floor)
        return index

    def code(self, bit: int, base: float, features: tuple[int, ...]) -> int:
        """Code `bit` at log-odds ``base + sum of the features' means``, then learn from it."""
        means, variances, floors = self._means, self._variances, self._floors
        odds, doubt = base, 0.0
        for index in features:
            odds += means[index]
            doubt += variances[index]
        odds = -_LIMIT if odds < -_LIMIT else min(odds, _LIMIT)
        entry = int(odds * _STEPS) + _OFFSET
        bit = self.coder.code(bit, _SQUASH[entry])
        p = _ODDS[entry]
        slope = p * (1.0 - p)
        scale = 1.0 / (1.0 + slope * doubt)
        gain = (bit - p) * scale
        shrink = slope * scale
        for index in features:
            variance = variances[index]
            means[index] += variance * gain
            variance -= variance * variance * shrink
            variances[index] = variance if variance > floors[index] else floors[index]
        return bit

    def code_symbol(self, name: Hashable, value: int, bits: int, variance: float = 1.0) -> int:
        """Code an integer of `bits` bits, highest first, every node of the tree a feature under `name`."""
        node = 1
        for shift in range(bits - 1, -1, -1):
            node = node << 1 | self.code(value >> shift & 1, 0.0, (self.named((name, node), variance, 0.001),))
        return node - (1 << bits)
