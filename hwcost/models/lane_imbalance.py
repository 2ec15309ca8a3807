"""Lane imbalance: how evenly unstructured zeros load lanes in lock-step, a filter each; the longest decides.

A lane skips the zeros of its filter; the lanes of a group start the next group together. The fraction of time in which
a lane works is then ``sum(nnz) / (lanes * sum over groups of the largest nnz)``.
Source: the load imbalance of Parashar et al., SCNN, ISCA 2017, section V; balancing by sorting as in Gondimalla et
al., SparTen, MICRO 2019, section 4 (greedy balancing).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LaneLoad:
    """Steps of one output position over all filters, a step being one product per lane.

    Attributes:
        dense_steps: when zeros are multiplied.
        steps: when zeros are skipped, in lock-step.
        utilization: fraction of the lanes' steps that do a product, 0..1.

    """

    dense_steps: int
    steps: int
    utilization: float


def lane_load(nnz_per_filter: Sequence[int], length: int, lanes: int, *, balanced: bool = False) -> LaneLoad:
    """The load of `lanes` lanes in lock-step.

    Args:
        nnz_per_filter: weights that are not zero, of every output filter, in order.
        length: weights of a filter when dense.
        lanes: filters that are worked on at a time.
        balanced: sort the filters by their load first, so that like meets like; costs a permutation of the
            output channels.

    """
    loads = sorted(nnz_per_filter, reverse=True) if balanced else list(nnz_per_filter)
    steps = sum(max(loads[start : start + lanes]) for start in range(0, len(loads), lanes))
    return LaneLoad(
        dense_steps=math.ceil(len(loads) / lanes) * length,
        steps=steps,
        utilization=sum(loads) / (lanes * steps) if steps else 0.0,
    )
