"""Renamed keys: where the settings of older, flat recipes are now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from disparsity.base.errors import InputError

_PHASE = {
    "rate": "lr_schedule",
    "accumulate": "grad_accumulation_steps",
    "truth_weight": "supervised_weight",
    "teacher_weight": "teacher.weight",
    "teacher_volume_weight": "teacher.volume_weight",
    "teacher_maps": "teacher.maps",
    "photometric_weight": "photometric.weight",
    "occlusion": "photometric.occlusion",
    "psgd_target": "psgd.target",
    "psgd_bits": "psgd.target.bits",
    "psgd_grid": "psgd.target.grid",
    "psgd_scale": "psgd.scale",
    "scale_clip_group": "scale_clip.group",
}
_NUMBERS = {"psgd": "psgd.strength", "scale_clip": "scale_clip.scale"}
"""Keys of a training phase that were numbers and are tables now."""

RENAMED = {
    "data.augment": 'data.augmentation = "mild"',
    "prune.score_decay": "prune.score.decay",
    "prune.score_batches": "prune.score.batches, or prune.score.samples of fisher_obs",
    "prune.taylor_form": "prune.score.form",
    "prune.first_sparsity": "prune.schedule.first_sparsity",
    "prune.event_share": "prune.event_fraction",
    "prune.floor_share": "prune.floor_fraction",
    "prune.handicap": "prune.mode.regrow_penalty",
    "prune.exchange": "prune.mode.drop_fraction",
    "prune.dense_share": "prune.mode.dense_fraction",
    "prune.fade": "prune.mode.decay",
    "prune.reconstruct": "prune.mode of reconstruct, and prune.score of obs",
    "quantize.initialisation": "quantize.quantizer.initialisation",
    "quantize.other_quantizer": "quantize.quantizer.other",
    "quantize.granularity": "quantize.quantizer.granularity",
    "quantize.group_size": "quantize.quantizer.granularity.size",
    "quantize.percentile": "quantize.quantizer.initialisation.percentile, or quantize.calibration.percentile",
    "quantize.term_bits": "quantize.quantizer.term_bits",
    "quantize.ternary_threshold": "quantize.quantizer.threshold",
    "quantize.ternary_scale": "quantize.quantizer.scale",
    "quantize.scale_clip": "quantize.quantizer.scale",
    "quantize.transform_basis": "quantize.quantizer.basis",
    "quantize.transform_side": "quantize.quantizer.side",
    "quantize.mixing_bits": "quantize.quantizer.mixing_bits",
    "quantize.transform_blocks": "quantize.quantizer.blocks",
    "quantize.transform_probes": "quantize.quantizer.probes",
    "quantize.reconstruct": "quantize.calibration_pairs (was pairs), and positions and ridge of quantize.rounding",
    "quantize.budget": "quantize.allocation.budget",
    "quantize.budget_bits": "quantize.allocation.budget_bits",
    "quantize.budget_share": "quantize.allocation.budget_fraction",
    "quantize.candidates": "quantize.allocation.candidates",
    "quantize.evaluations": "quantize.allocation.evaluations",
    "quantize.removed_share": "quantize.allocation.removed_fraction",
    "quantize.allocation_pairs": "quantize.allocation.pairs",
} | {
    f"{phase}.{old}": f"{phase}.{new}"
    for phase in ("train", "prune.train", "finetune", "finetune_quantized")
    for old, new in _PHASE.items()
}
"""Where every key went, by its old path."""

_TABLES_NOW = {
    f"{phase}.{old}": f"{phase}.{new}"
    for phase in ("train", "prune.train", "finetune", "finetune_quantized")
    for old, new in _NUMBERS.items()
}


def refuse_renamed(table: Mapping[str, Any], where: str) -> None:
    """Refuse a recipe of the older form.

    Raises:
        InputError: keys have other names now; all of them are named with the new ones.

    """
    found = [f"{key} is now {new}" for key, new in _renamed(table)]
    if found:
        raise InputError("keys of an older form: " + " | ".join(found), where=where)


def _renamed(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, new in RENAMED.items():
        if _value(table, key) is not None:
            yield key, new
    for key, new in _TABLES_NOW.items():
        if isinstance(_value(table, key), int | float):
            yield key, new


def _value(table: Any, key: str) -> Any:
    for part in key.split("."):
        table = table.get(part) if isinstance(table, Mapping) else None
    return table
