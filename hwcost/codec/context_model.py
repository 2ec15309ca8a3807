"""Context model: the probability of the next bit, learned by logistic regression with a variance per weight.

The log-odds of a bit are a known base plus a sum of features (this filter, this channel, these neighbours).
Every feature has a mean, at first 0, and a variance, at first what its kind usually spreads. After every bit
both move as in the extended Kalman filter with a diagonal covariance, so that a feature that is
seldom seen has little weight and costs little, and there is no learning rate to tune.
Source: W. D. Penny and S. J. Roberts, "Dynamic logistic regression", IJCNN 1999 (stationary case).
Arithmetic is +, -, *, / on IEEE doubles, compiled without reordering, and one rounded table: every machine decodes
the same.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from disparsity.hwcost.codec.range_coder import BitCoder, code_bit

MOST_FEATURES = 8
"""Of one bit."""
_STEPS = 256  # table entries per unit of log-odds: 0.2 % of a probability
_LIMIT = 11.0
_OFFSET = int(_LIMIT * _STEPS)
_SQUASH = np.array(
    [min(65535, max(1, round(65536 / (1 + math.exp(-index / _STEPS))))) for index in range(-_OFFSET, _OFFSET + 1)]
)
_MEAN, _VARIANCE, _FLOOR = range(3)


@njit(cache=True)
def learn_bit(features: Any, coder: Any, bit: int, base: float, chosen: Any, count: int) -> int:
    """Code `bit` at log-odds ``base + sum of the means of chosen[:count]``, then learn from it.

    Args:
        features: ``[N, 3]`` float64: mean, variance and the least variance of each.
        coder: state and stream of a `BitCoder`.
        bit: 0 or 1; ignored by a decoder.
        base: log-odds.
        chosen: indices of features.
        count: how many of `chosen` are meant.

    """
    odds, spread = base, 0.0
    for k in range(count):
        odds += features[chosen[k], _MEAN]
        spread += features[chosen[k], _VARIANCE]
    odds = min(max(odds, -_LIMIT), _LIMIT)
    probability = _SQUASH[int(odds * _STEPS) + _OFFSET]
    bit = code_bit(coder[0], coder[1], bit, probability)
    p = probability / 65536
    slope = p * (1.0 - p)
    scale = 1.0 / (1.0 + slope * spread)
    gain = (bit - p) * scale
    shrink = slope * scale
    for k in range(count):
        variance = features[chosen[k], _VARIANCE]
        features[chosen[k], _MEAN] += variance * gain
        features[chosen[k], _VARIANCE] = max(variance - variance * variance * shrink, features[chosen[k], _FLOOR])
    return bit


class LogisticModel:
    """The features of one stream, created when first named, and the coder they steer."""

    def __init__(self, coder: BitCoder) -> None:
        self.coder = coder
        self._table = np.zeros((1 << 10, 3))
        self._count = 0
        self._blocks: dict[Hashable, range] = {}
        self._chosen = np.zeros(MOST_FEATURES, np.int64)

    @property
    def table(self) -> npt.NDArray[np.float64]:
        """``[N, 3]``: mean, variance and least variance of every feature; valid until one is added."""
        return self._table

    def features(self, count: int, variance: float, floor: float = 0.0) -> range:
        """`count` new features of the given prior variance, in a row; a `floor` above 0 keeps them forgetting."""
        start, self._count = self._count, self._count + count
        if self._count > len(self._table):
            longer = np.zeros((max(self._count, 2 * len(self._table)), 3))
            longer[:start] = self._table[:start]
            self._table = longer
        self._table[start : self._count] = (0.0, variance, floor)
        return range(start, self._count)

    def feature(self, variance: float, floor: float = 0.0) -> int:
        """One new feature."""
        return self.features(1, variance, floor).start

    def block(self, name: Hashable, count: int, variance: float, floor: float = 0.0) -> range:
        """The features called `name`, shared by everything that names them; created with the given prior."""
        block = self._blocks.get(name)
        if block is None:
            block = self._blocks[name] = self.features(count, variance, floor)
        return block

    def named(self, name: Hashable, variance: float, floor: float = 0.0) -> int:
        """The feature called `name`, as `block`."""
        return self.block(name, 1, variance, floor).start

    def code(self, bit: int, base: float, features: tuple[int, ...]) -> int:
        """Code `bit` and learn from it, as `learn_bit`."""
        self.coder.reserve(1)
        self._chosen[: len(features)] = features
        coder = (self.coder.state, self.coder.stream)
        return int(learn_bit(self._table, coder, bit, base, self._chosen, len(features)))

    def code_symbol(self, name: Hashable, value: int, bits: int, variance: float = 1.0) -> int:
        """Code an integer of `bits` bits, highest first, every node of the tree a feature under `name`."""
        tree = self.block((name, "tree"), 1 << bits, variance, 0.001)
        node = 1
        for shift in range(bits - 1, -1, -1):
            node = node << 1 | self.code(value >> shift & 1, 0.0, (tree[node],))
        return node - (1 << bits)
