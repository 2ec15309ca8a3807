"""The fields of report.json, version 1, as data, with a checker and a skeleton made from them.

A figure that is not known is null, never 0. New fields may be added; a change of meaning raises the version.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from disparsity.base.errors import CorruptArtefactError

SCHEMA = "disparsity.report"
VERSION = 1
SLOTS = ("score", "scope", "schedule", "pattern", "mode", "quantizer", "allocation", "teacher")
STAGES = ("dense", "pruned", "quantized")


@dataclass(frozen=True)
class Leaf:
    """One value: what it has to be, in words and as a test; null is accepted unless `required`."""

    words: str
    test: Callable[[Any], bool]
    required: bool = False


@dataclass(frozen=True)
class MapOf:
    """An object whose keys are free and whose values all have one description."""

    value: Any


@dataclass(frozen=True)
class Optional:
    """A section that older reports lack, and that may be null as a whole where nothing of it is known."""

    value: Any


@dataclass(frozen=True)
class Either:
    """A plain value, or an object of such values."""

    leaf: Leaf
    value: MapOf


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(_is_whole(item) for item in value)


BOOLEAN = Leaf("true or false", lambda value: isinstance(value, bool))
TEXT = Leaf("text", lambda value: isinstance(value, str))
WHOLE = Leaf("a whole number", _is_whole)
NUMBER = Leaf("a finite number", _is_number)
PERCENT = Leaf("a percentage of 0..100", lambda value: _is_number(value) and 0 <= value <= 100)
REDUCTION = Leaf("a percentage of at most 100", lambda value: _is_number(value) and value <= 100)
PAIR = Leaf("two whole numbers", _is_pair)
RANGE = Leaf("two numbers", lambda v: isinstance(v, list | tuple) and len(v) == 2 and all(map(_is_number, v)))
STAGE = Leaf("one of " + ", ".join(STAGES), lambda value: value in STAGES, required=True)
NAME = Leaf("text", TEXT.test, required=True)
SCALAR = Leaf("a number, text, true, false or a list", lambda v: isinstance(v, str | bool | list) or _is_number(v))

_SPLIT = {"dense": NUMBER, "compressed": NUMBER}
_ZEROS = {"by_weight": NUMBER, "by_activation": NUMBER, "by_both": NUMBER}
_MACHINES = {"dense": NUMBER, "gated": NUMBER, "skipped": NUMBER, "skipped_balanced": NUMBER}
_BOUNDED = {"dense": NUMBER, "compressed": NUMBER, "skipped": NUMBER}
_ACCURACY = {
    "data": NAME,
    "stage": STAGE,
    "epe_px": NUMBER,
    "bad1_percent": PERCENT,
    "bad2_percent": PERCENT,
    "bad3_percent": PERCENT,
    "d1_percent": PERCENT,
    "pixels": WHOLE,
    "images": WHOLE,
    "aggregation": TEXT,
}
_MEASURED = {
    "network": NAME,
    "runtime": NAME,
    "median_ms": NUMBER,
    "quartiles_ms": RANGE,
    "lowest_ms": NUMBER,
    "file_bytes": WHOLE,
    "convolutions": WHOLE,
    "integer_convolutions": WHOLE,
}
REPORT: dict[str, Any] = {
    "schema": Leaf(repr(SCHEMA), lambda value: value == SCHEMA, required=True),
    "version": Leaf(str(VERSION), lambda value: value == VERSION, required=True),
    "network": {"name": TEXT, "parameters": WHOLE, "input_size": PAIR, "max_disparity": NUMBER},
    "accuracy": [_ACCURACY],
    "memory": {
        "dense_bytes": NUMBER,
        "values_bytes": NUMBER,
        "formats": MapOf(NUMBER),
        "best_format": TEXT,
        "entropy_bound_bytes": NUMBER,
        "packed_file_bytes": NUMBER,
        "reduction_percent": REDUCTION,
    },
    "operations": {
        "dense_macs": NUMBER,
        "effectual_macs": NUMBER,
        "bops": MapOf(_SPLIT),
        "reduction_percent": {"macs": REDUCTION, "bops": Either(REDUCTION, MapOf(REDUCTION))},
    },
    "hardware": {
        "profile": TEXT,
        "mac_energy_pj": _SPLIT,
        "mac_area_um2": _SPLIT,
        "memory_energy_pj": MapOf(NUMBER),
        "reduction_percent": {"mac_energy": REDUCTION, "mac_area": REDUCTION, "total_energy": REDUCTION},
    },
    "latency": {
        "array": PAIR,
        "dataflow": TEXT,
        "cycles": _SPLIT,
        "utilization": Either(NUMBER, MapOf(NUMBER)),
    },
    # Wall-clock time on the machine that made the report, where it was asked for; networks took turns.
    "measured_latency": Optional(
        {
            "runtime": TEXT,
            "processor": TEXT,
            "threads": WHOLE,
            "runs": WHOLE,
            "warm_up": WHOLE,
            "input_size": PAIR,
            "rows": [_MEASURED],
            "warnings": [NAME],
        }
    ),
    # What the figures below are computed for; `lanes` filters work in lock-step where zeros are skipped.
    "machine": Optional(
        {
            "array": PAIR,
            "dataflow": TEXT,
            "buffer_bytes": NUMBER,
            "dram_bytes_per_cycle": NUMBER,
            "lanes": WHOLE,
            "clock_mhz": NUMBER,
        }
    ),
    # Bytes per pair: between buffer and array (layers with weights), and between DRAM and buffer (all calls), at least
    # and with tiles that fit; `untiled` names layers of which no tile fits, for which the totals are null.
    "traffic": Optional(
        {
            "sram_bytes": _SPLIT,
            "partial_sum_bytes": _SPLIT,
            "compulsory_dram_bytes": _SPLIT,
            "dram_bytes": _SPLIT,
            "sram_energy_pj": _SPLIT,
            "dram_energy_pj": _SPLIT,
            "untiled": [NAME],
            "reduction_percent": {"sram": REDUCTION, "dram": REDUCTION},
        }
    ),
    # Cycles of products or transfers, whichever takes longer in each call; `skipped` leaves out zero weights' cycles.
    "roofline": Optional(
        {
            "multipliers": WHOLE,
            "ridge_macs_per_byte": NUMBER,
            "cycles": _BOUNDED,
            "memory_bound_cycles_percent": _BOUNDED,
            "milliseconds": _BOUNDED,
        }
    ),
    # The compressed network by what a machine does with a zero weight; memory is not waited for.
    "sparse_execution": Optional(
        {
            "cycles": _MACHINES,
            "mac_energy_pj": _MACHINES,
            "lane_utilization": {"in_order": NUMBER, "balanced": NUMBER},
        }
    ),
    # Products whose factors are not zero, counted on real pairs at their own size; null where nothing was measured.
    "effectual": Optional(
        {
            "data": TEXT,
            "pairs": WHOLE,
            "size": PAIR,
            "cropped": BOOLEAN,
            "dense_macs": NUMBER,
            "macs": _ZEROS,
            "share_percent": _ZEROS,
        }
    ),
    # Widest accumulator of the integer layers: for any weights, for these, and for these on the measured pairs.
    "accumulators": Optional(
        {
            "worst_case_bits": WHOLE,
            "weights_bits": WHOLE,
            "data_bits": WHOLE,
            "integer_layers": WHOLE,
            "float_layers": WHOLE,
        }
    ),
    # Integer weights as wires, each output fully unrolled; `adders_per_weight` is of multipliers per non-zero weight.
    "multipliers": Optional(
        {
            "multiplier_adders": WHOLE,
            "sum_adders": WHOLE,
            "shifts": WHOLE,
            "shift_only_percent": PERCENT,
            "adders_per_weight": NUMBER,
        }
    ),
    "activations": {"peak_bytes": _SPLIT},
    "coverage": {"macs_modelled_percent": PERCENT, "unmodelled": [NAME]},
    "layers": [MapOf(SCALAR)],
    "settings": {
        **dict.fromkeys(SLOTS, TEXT),
        "seed": WHOLE,
        "steps": Either(WHOLE, MapOf(WHOLE)),
        "seconds": Either(NUMBER, MapOf(NUMBER)),
    },
}


def validate(report: dict[str, Any]) -> None:
    """Check every field of a report.

    Raises:
        CorruptArtefactError: a field is missing, or holds what its description does not allow; names the field.

    """
    _check(report, REPORT, "report")


def empty_report() -> dict[str, Any]:
    """A valid report that knows nothing yet: every figure null, every list and free object empty."""
    skeleton = _empty(REPORT)
    return {**skeleton, "schema": SCHEMA, "version": VERSION}


def section(report: Mapping[str, Any], name: str) -> Any:
    """An optional section of a report, with every figure null where it is absent or null."""
    return report.get(name) or _empty(REPORT[name])


def _empty(description: Any) -> Any:
    if isinstance(description, Optional):
        return _empty(description.value)
    if isinstance(description, dict):
        return {name: _empty(inner) for name, inner in description.items()}
    if isinstance(description, list):
        return []
    return {} if isinstance(description, MapOf) else None


def _check(value: Any, description: Any, where: str) -> None:
    if isinstance(description, Either):
        description = description.value if isinstance(value, dict) else description.leaf
    if isinstance(description, Leaf):
        _check_leaf(value, description, where)
    elif isinstance(description, list):
        _expect(isinstance(value, list), where, value, "a list")
        for index, item in enumerate(value):
            _check(item, description[0], f"{where}[{index}]")
    elif isinstance(description, MapOf):
        _expect(isinstance(value, dict), where, value, "an object")
        for name, item in value.items():
            _check(item, description.value, f"{where}.{name}")
    else:
        _check_fields(value, description, where)


def _check_fields(value: Any, fields: dict[str, Any], where: str) -> None:
    _expect(isinstance(value, dict), where, value, "an object")
    for name, inner in fields.items():
        if isinstance(inner, Optional):
            if value.get(name) is not None:
                _check(value[name], inner.value, f"{where}.{name}")
            continue
        if name not in value:
            raise CorruptArtefactError(
                f"the field {name!r} is missing", where=where, remedy="write null where a figure is not known"
            )
        _check(value[name], inner, f"{where}.{name}")


def _check_leaf(value: Any, leaf: Leaf, where: str) -> None:
    allowed = leaf.words if leaf.required else f"{leaf.words} or null"
    _expect(leaf.test(value) if value is not None else not leaf.required, where, value, allowed)


def _expect(holds: bool, where: str, found: Any, expected: str) -> None:
    if not holds:
        raise CorruptArtefactError(
            "the field has a wrong value", where=where, found=repr(found)[:80], expected=expected
        )
