"""From a run's folder to its report: accuracy, costs, settings, pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disparsity.base.atomic_io import sha256_of
from disparsity.base.checksummed_json import read_sealed, write_sealed
from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.base.layers import channel_axis, effective_weight, quantizable_layers
from disparsity.checkpoint.checkpoints import SIDE_FILE, load_checkpoint
from disparsity.checkpoint.packed import pack_network, write_network
from disparsity.checkpoint.restore import open_network
from disparsity.cost import cost_sections
from disparsity.evaluation.activation_statistics import observe_cheaply
from disparsity.evaluation.evaluation import check_maps, load_panels
from disparsity.evaluation.latency import latency_file, measure_latency, stored_latency
from disparsity.hwcost.codec.packed_network import PackedNetwork
from disparsity.hwcost.codec.packing import pack
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.recipe.input_size import report_size
from disparsity.recipe.recipe import Recipe
from disparsity.recipe.stages import STAGES, last_float_stage, stage_of_folder
from disparsity.registries import load
from disparsity.report.schema import SCHEMA, VERSION
from disparsity.report.write import write_report
from disparsity.run.folder import history
from disparsity.stereo.network import StereoNetwork

PACKED_FILE = "compressed.h5"
LATENCY_FILE = "latency.json"
_AGAIN = "remove it and run the recipe again"


def build_report(run: Path, recipe: Recipe, *, measure_again: bool = False) -> dict[str, Any]:
    """Write `report/` and `compressed.h5` from the stages' checkpoints and evaluations; returns the report.

    Latency is measured where the recipe names a runtime, and kept beside the evaluations until `measure_again`.

    Raises:
        InputError: the run holds no finished stage yet.

    """
    folders = finished_stages(run)
    if not folders:
        raise InputError("the run has no finished stage to report on", where=run)
    evaluations = read_evaluations(run)
    dense = open_network(recipe.network.checkpoint, recipe.network.name, recipe.seed)
    compressed = open_network(str(folders[-1]), None)
    packed_bytes = write_network(run / PACKED_FILE, compressed)
    size = report_size(recipe)
    machine = Machine(profile=load_profile(recipe.report.profile))
    observation = observe_cheaply(compressed, recipe.data.test[0]) if recipe.data.test else None
    sections = cost_sections(dense, compressed, packed_bytes, size, machine, observation)
    sections["memory"]["stage_bytes"] = _stage_bytes(folders, sections["memory"])
    report = {
        "schema": SCHEMA,
        "version": VERSION,
        **sections,
        "measured_latency": _latency(run, recipe, folders, {"dense": dense, "compressed": compressed}, measure_again),
        "accuracy": [row for stage in evaluations.values() for row in stage["rows"]],
        "settings": _settings(recipe, folders, evaluations),
    }
    maps = run / "evaluation"
    last = list(evaluations)[-1] if evaluations else "dense"
    panels = load_panels(recipe.data.test[0], maps / "dense", maps / last) if recipe.data.test else []
    write_report(run / "report", report, panels, history(run), kept_weights(compressed))
    return report


def kept_weights(network: StereoNetwork) -> dict[str, NDArray[np.bool_]]:
    """Where the weights of every layer are not zero, ``[Co, Ci, k, ...]`` by the layer's name."""
    layers = quantizable_layers(network).items()
    weights = {name: effective_weight(layer).movedim(channel_axis(layer), 0) for name, layer in layers}
    return {name: (weight != 0).cpu().numpy() for name, weight in weights.items()}


def _latency(
    run: Path, recipe: Recipe, folders: list[Path], networks: dict[str, StereoNetwork], measure_again: bool
) -> dict[str, Any] | None:
    """What was measured of these networks, now or before; None where nothing was and the recipe does not ask for it."""
    path, checkpoint, size = run / "evaluation" / LATENCY_FILE, sha256_of(folders[-1] / SIDE_FILE), report_size(recipe)
    runtime, runs = recipe.report.runtime, recipe.report.latency_runs
    stored = None if measure_again else stored_latency(path, checkpoint, size)
    if not runtime or (stored is not None and stored["runtime"] == runtime):
        return stored
    pruned = _pruned_stage(folders)
    if pruned not in (None, folders[-1]):
        middle = {"pruned": open_network(str(pruned), None)}
        networks = {"dense": networks["dense"], **middle, "compressed": networks["compressed"]}
    write = load("formats", load("latency_runtimes", runtime).form).write
    section = measure_latency(networks, size, runtime, runs, write)
    write_sealed(path, latency_file(section, checkpoint))
    return section


def _pruned_stage(folders: list[Path]) -> Path | None:
    """The stage whose network is pruned and still float; None where weights were removed after quantization."""
    place = last_float_stage([stage_of_folder(folder.name) for folder in folders])
    return None if place is None else folders[place]


def finished_stages(run: Path) -> list[Path]:
    """The folders of the stages that have a checkpoint, in order."""
    return [folder for folder in sorted(run.glob("stages/*")) if (folder / SIDE_FILE).is_file()]


def read_evaluations(run: Path) -> dict[str, dict[str, Any]]:
    """What has been evaluated so far, by stage.

    Raises:
        CorruptArtefactError: one of the files is damaged.

    """
    paths = {stage: run / "evaluation" / f"{stage}.json" for stage in ("dense", "pruned", "quantized")}
    found = {stage: _read_evaluation(path) for stage, path in paths.items() if path.is_file()}
    for stage, content in found.items():
        check_maps(paths[stage].with_suffix(""), content.get("maps", {}))
    return found


def _read_evaluation(path: Path) -> dict[str, Any]:
    content = read_sealed(path, "an evaluation", _AGAIN)
    if not {"rows", "seconds"} <= set(content):
        raise CorruptArtefactError("not an evaluation", where=path, expected="rows and seconds", remedy=_AGAIN)
    return content


def _stage_bytes(folders: list[Path], memory: dict[str, Any]) -> dict[str, Any]:
    """Bytes of the network after the stages, as packed files would have them."""
    pruned = _pruned_stage(folders)
    float_bytes = _packed_bytes(open_network(str(pruned), None)) if pruned else None
    return {"dense": memory["dense_bytes"], "pruned": float_bytes, "quantized": memory["packed_file_bytes"]}


def _packed_bytes(network: StereoNetwork) -> int:
    packed: PackedNetwork = pack_network(network)
    return len(pack(packed))


def _settings(recipe: Recipe, folders: list[Path], evaluations: dict[str, dict[str, Any]]) -> dict[str, Any]:
    prune, quantize = recipe.prune, recipe.quantize
    training = {stage.name: recipe.phases.get(stage.training) for stage in STAGES.values() if stage.compresses}
    phases = {name: settings for name, settings in training.items() if settings is not None}
    teachers = {phase.teacher for phase in phases.values() if phase.needs_teacher}
    seconds = {folder.name: load_checkpoint(folder).facts["seconds"] for folder in folders}
    seconds |= {f"evaluate-{stage}": content["seconds"] for stage, content in evaluations.items()}
    return {
        "score": prune.score if prune else "none",
        "scope": prune.scope if prune else "none",
        "schedule": prune.schedule if prune else "none",
        "pattern": prune.pattern if prune else "none",
        "mode": prune.mode if prune else "none",
        "quantizer": quantize.quantizer if quantize else "none",
        "allocation": quantize.allocation if quantize else "none",
        "teacher": ", ".join(sorted(teachers)) or "none",
        "seed": recipe.seed,
        "steps": {name: phase.steps for name, phase in phases.items()},
        "seconds": seconds,
    }
