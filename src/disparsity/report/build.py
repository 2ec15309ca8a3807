"""Report of a run from its folder: accuracy, costs, settings and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disparsity.base.atomic_io import sha256_of
from disparsity.base.checksummed_json import write_checksummed
from disparsity.base.errors import InputError
from disparsity.base.layers import channel_axis, effective_weight, quantizable_layers
from disparsity.checkpoint.checkpoints import SIDE_FILE, load_metadata
from disparsity.checkpoint.packed import pack_network, write_checked
from disparsity.checkpoint.restore import open_network
from disparsity.cost import cost_sections
from disparsity.evaluation.activation_statistics import observe_cheaply
from disparsity.evaluation.evaluation import load_panels
from disparsity.evaluation.latency import latency_file, measure_latency, stored_latency
from disparsity.evaluation.measured_latency import MeasuredLatency
from disparsity.hwcost.codec.packing import pack, pack_and_measure
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.recipe.input_size import report_size
from disparsity.recipe.recipe import Recipe
from disparsity.recipe.stages import STAGES, last_float_stage, stage_of_folder
from disparsity.registries import load
from disparsity.report.evaluations import StageEvaluation, read_evaluations
from disparsity.report.report import Report, RunMemorySection, StageBytes
from disparsity.report.settings import SettingsSection
from disparsity.report.write import write_report
from disparsity.run.folder import history
from disparsity.stereo.network import StereoNetwork

PACKED_FILE = "compressed.h5"
LATENCY_FILE = "latency.json"


def build_report(run: Path, recipe: Recipe, *, measure_again: bool = False) -> Report:
    """Write `report/` and `compressed.h5` from the stages' checkpoints and evaluations; returns the report.

    Latency is measured where the recipe names a runtime, and kept beside the evaluations until `measure_again`.

    Raises:
        InputError: the run holds no finished stage yet.

    """
    folders = finished_stages(run)
    if not folders:
        raise InputError("the run has no finished stage to report on", where=run)
    evaluations = read_evaluations(run)
    networks = _networks(recipe, folders)
    dense, compressed = networks["dense"], networks["compressed"]
    packing = pack_and_measure(pack_network(compressed))
    costs = cost_sections(
        dense,
        compressed,
        report_size(recipe),
        Machine(profile=load_profile(recipe.report.profile)),
        packing=packing,
        packed_file_bytes=write_checked(run / PACKED_FILE, compressed, packing.content),
        observation=observe_cheaply(compressed, recipe.data.test[0]) if recipe.data.test else None,
    )
    stages = StageBytes(
        dense=costs.memory.dense_bytes,
        pruned=len(pack(pack_network(networks["pruned"]))) if "pruned" in networks else None,
        quantized=costs.memory.packed_file_bytes,
    )
    report = Report(
        **{**vars(costs), "memory": RunMemorySection(**vars(costs.memory), stage_bytes=stages)},
        measured_latency=_latency(run, recipe, folders, networks, measure_again),
        accuracy=tuple(row for stage in evaluations.values() for row in stage.rows),
        settings=_settings(recipe, folders, evaluations),
    )
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


def _networks(recipe: Recipe, folders: list[Path]) -> dict[str, StereoNetwork]:
    """The dense network, the compressed one, and the pruned one where floats were pruned."""
    pruned = _pruned_stage(folders)
    section = recipe.network
    networks = {"dense": open_network(section.checkpoint, section.name, recipe.seed, section.max_disparity)}
    if pruned is not None:
        networks["pruned"] = open_network(str(pruned), None)
    same = pruned == folders[-1]
    networks["compressed"] = networks["pruned"] if same else open_network(str(folders[-1]), None)
    return networks


def _latency(
    run: Path, recipe: Recipe, folders: list[Path], networks: Mapping[str, StereoNetwork], measure_again: bool
) -> MeasuredLatency | None:
    """What was measured of these networks, now or before; None where nothing was and the recipe does not ask for it."""
    path, checkpoint, size = run / "evaluation" / LATENCY_FILE, sha256_of(folders[-1] / SIDE_FILE), report_size(recipe)
    runtime, runs = recipe.report.runtime, recipe.report.latency_runs
    stored = None if measure_again else stored_latency(path, checkpoint, size)
    if not runtime or (stored is not None and stored.runtime == runtime):
        return stored
    distinct = {name: each for name, each in networks.items() if name != "pruned" or each is not networks["compressed"]}
    write = load("formats", load("latency_runtimes", runtime).form).write
    section = measure_latency(distinct, size, runtime, runs, write)
    write_checksummed(path, latency_file(section, checkpoint))
    return section


def _pruned_stage(folders: list[Path]) -> Path | None:
    """The stage whose network is pruned and still float; None where weights were removed after quantization."""
    place = last_float_stage([stage_of_folder(folder.name) for folder in folders])
    return None if place is None else folders[place]


def finished_stages(run: Path) -> list[Path]:
    """The folders of the stages that have a checkpoint, in order."""
    return [folder for folder in sorted(run.glob("stages/*")) if (folder / SIDE_FILE).is_file()]


def _settings(recipe: Recipe, folders: list[Path], evaluations: Mapping[str, StageEvaluation]) -> SettingsSection:
    prune, quantize = recipe.prune, recipe.quantize
    training = {stage.name: recipe.phases.get(stage.training) for stage in STAGES.values() if stage.compresses}
    phases = {name: settings for name, settings in training.items() if settings is not None}
    teachers = {phase.teacher.name for phase in phases.values() if phase.needs_teacher}
    seconds = {folder.name: load_metadata(folder)["seconds"] for folder in folders}
    seconds |= {f"evaluate-{stage}": content.seconds for stage, content in evaluations.items()}
    return SettingsSection(
        score=prune.score.name if prune else "none",
        scope=prune.scope.name if prune else "none",
        schedule=prune.schedule.name if prune else "none",
        pattern=prune.pattern.name if prune else "none",
        mode=prune.mode.name if prune else "none",
        quantizer=quantize.quantizer.name if quantize else "none",
        allocation=quantize.allocation.name if quantize else "none",
        teacher=", ".join(sorted(teachers)) or "none",
        seed=recipe.seed,
        steps={name: phase.steps for name, phase in phases.items()},
        seconds=seconds,
    )
