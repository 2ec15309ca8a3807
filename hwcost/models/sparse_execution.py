"""What zeros in the weights save: gating saves energy and no time, skipping saves both as far as lanes keep step.

Three machines on the same array, which differ in what a zero weight does: nothing special (dense), its multiplier
rests for the cycle (gated), or its cycle is left out (skipped, with filters in lock-step over lanes, by default the
array's columns).
Source: the distinction of gating and skipping in Wu et al., Sparseloop, MICRO 2022, section 3.
Interpretation: skipping shortens the dense dataflow's cycles by the lanes' speed-up; a layer without any product
left takes no cycle. Gated cycles cost no arithmetic energy; reading operands is not charged here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from disparsity.hwcost.models.cycles import cycles
from disparsity.hwcost.models.energy import mac_operator
from disparsity.hwcost.models.lane_imbalance import LaneLoad, lane_load
from disparsity.hwcost.profiles.technology import Profile
from disparsity.hwcost.tracing.layer_call import LayerCall


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Cycles and arithmetic energy of one machine."""

    cycles: int
    mac_energy_pj: float


def executions(
    calls: Iterable[LayerCall], profile: Profile, array: tuple[int, int], dataflow: str, lanes: int | None = None
) -> dict[str, Execution]:
    """All three machines (skipping without and with balancing) over all calls, by name."""
    calls = [call for call in calls if call.weight_count]
    dense_cycles = sum(cycles(call, array, dataflow) for call in calls)
    dense = sum(call.dense_macs * mac_operator(call, profile).energy_pj for call in calls)
    effectual = sum(call.effectual_macs * mac_operator(call, profile).energy_pj for call in calls)
    skipped = {
        name: sum(skipped_cycles(call, array, dataflow, balanced=balanced, lanes=lanes) for call in calls)
        for name, balanced in (("skipped", False), ("skipped_balanced", True))
    }
    return {
        "dense": Execution(cycles=dense_cycles, mac_energy_pj=dense),
        "gated": Execution(cycles=dense_cycles, mac_energy_pj=effectual),
        **{name: Execution(cycles=taken, mac_energy_pj=effectual) for name, taken in skipped.items()},
    }


def skipped_cycles(
    call: LayerCall, array: tuple[int, int], dataflow: str, *, balanced: bool, lanes: int | None = None
) -> int:
    """Cycles of a call whose zero weights take no time, one filter per lane (without `lanes`: per column)."""
    load = call_load(call, lanes or array[1], balanced=balanced)
    return math.ceil(cycles(call, array, dataflow) * load.steps / load.dense_steps)


def call_load(call: LayerCall, lanes: int, *, balanced: bool) -> LaneLoad:
    """The lanes' load of a layer, from the zeros of its real weights."""
    length = call.weight_count // len(call.nnz_per_filter)
    return lane_load(call.nnz_per_filter, length, lanes, balanced=balanced)
