"""Refusing a recipe that cannot run before a folder is made: every name, range, file and size that a run will need."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import TYPE_CHECKING

from disparsity.base import distributed
from disparsity.base.devices import choose_device
from disparsity.base.errors import InputError
from disparsity.base.notices import notice
from disparsity.cost import check_pixels
from disparsity.evaluation.latency import check_runtime
from disparsity.finetune.modes import MODES
from disparsity.finetune.teachers import check_distributions
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.pruning.masks import masks_of
from disparsity.pruning.schedules import event_steps
from disparsity.pruning.scores.registry import SCORES
from disparsity.quant.activations.calibration_rules import CALIBRATION_RULES
from disparsity.quant.allocations.registry import ALLOCATIONS
from disparsity.quant.bits import FLOAT_BITS
from disparsity.quant.grids.step_search import INITIALISATIONS
from disparsity.quant.quantizers import QUANTIZERS, builder_for
from disparsity.recipe.input_size import report_size
from disparsity.recipe.plan import check_order, prunes_under_quantizers
from disparsity.recipe.recipe import MIXED_SIZES, PruneSection, QuantizeSection, Recipe
from disparsity.run.data_checks import check_data
from disparsity.run.network_contract import check_contract, check_layers
from disparsity.run.stages.channel_pruning import try_channels
from disparsity.run.supported_operators import check_treatable
from disparsity.run.tensorboard import check_tensorboard
from disparsity.stereo.network import StereoNetwork

if TYPE_CHECKING:
    from disparsity.run.context import RunContext

_MOST_THREADS = 256
_SEEDS = 1 << 31


def check_settings(recipe: Recipe) -> None:
    """Names and ranges, without touching a file.

    Raises:
        InputError: a value is unknown or out of range; the message names its key.

    """
    data = recipe.data
    _require(0 <= recipe.seed < _SEEDS, "seed", recipe.seed, "0 or more, below 2^31")
    _require(0 <= recipe.threads <= _MOST_THREADS, "threads", recipe.threads, f"0..{_MOST_THREADS}; 0 leaves it open")
    _require(1 <= recipe.processes <= _MOST_THREADS, "processes", recipe.processes, f"1..{_MOST_THREADS}")
    choose_device(recipe.device)
    _require(data.batch >= 1, "data.batch", data.batch, "1 or more")
    shared = distributed.processes()
    _require(data.batch % shared == 0, "data.batch", data.batch, f"a multiple of the {shared} processes of this run")
    for key, phase in recipe.phases.items():
        parts = shared * phase.accumulate
        expected = f"a divisor of the {data.batch // shared} pairs that a process has"
        _require(data.batch % parts == 0, f"{key}.accumulate", phase.accumulate, expected)
    _require(0 <= data.workers <= _MOST_THREADS, "data.workers", data.workers, f"0..{_MOST_THREADS}")
    _require_known(data.mixed_sizes, MIXED_SIZES, "data.mixed_sizes")
    _require(min(data.weights, default=0) >= 0, "data.weights", data.weights, ">= 0")
    _require(data.mask_disparity >= 0, "data.mask_disparity", data.mask_disparity, "0 (every known pixel) or more")
    if recipe.report.tensorboard:
        check_tensorboard()
    _require(recipe.report.pictures >= 0, "report.pictures", recipe.report.pictures, "0 or more")
    if recipe.prune is not None:
        _check_prune(recipe.prune)
    if recipe.quantize is not None:
        _check_quantize(recipe.quantize)
    check_order(recipe)
    _check_joint(recipe)
    _check_teachers(recipe)
    load_profile(recipe.report.profile)
    _require(recipe.report.latency_runs >= 1, "report.latency_runs", recipe.report.latency_runs, "1 or more")
    if recipe.report.runtime:
        check_runtime(recipe.report.runtime)


def check_files(context: RunContext, network: StereoNetwork) -> None:
    """The test data and the first batches can be read, and the network is fit to be compressed.

    Args:
        context: of the run.
        network: that the run starts from.

    Raises:
        DisparsityError: one of them is missing, damaged or does not fit.

    """
    check_data(context.recipe, network)
    context.stream.next_batch(0)
    check_contract(context, network)
    batch = context.calibration.next_batch(0, 1)
    if any(phase.teacher_volume_weight > 0 for phase in context.recipe.phases.values()):
        check_distributions(network)
    if context.recipe.prune is not None or context.recipe.quantize is not None:
        check_treatable(network, batch.left, batch.right)
        if network.spec.unused:
            notice(f"never run, and left out of every stage and figure: {', '.join(network.spec.unused)}")
        check_layers(network, context.recipe)
    section = context.recipe.prune
    if section is not None and section.pattern == "channel" and not masks_of(network):
        try_channels(network, section.floor_share, section.sparsity, batch.left, batch.right)


def check_report(recipe: Recipe) -> None:
    """A report needs an input size.

    Raises:
        InputError: the recipe names neither a size nor test data, or the size is too large.

    """
    check_pixels(report_size(recipe))


def _check_prune(section: PruneSection) -> None:
    _require_known(section.mode, MODES, "prune.mode")
    if MODES[section.mode].single and section.pattern == "channel":
        others = ", ".join(name for name, kind in MODES.items() if not kind.single)
        raise InputError(f"mode '{section.mode}' works on single weights", where="prune.mode", expected=others)
    if section.schedule == "cyclic" and not MODES[section.mode].single:
        others = ", ".join(name for name, kind in MODES.items() if kind.single)
        raise InputError("schedule 'cyclic' needs weights that return", where="prune.mode", expected=others)
    for key in ("handicap", "exchange", "dense_share"):
        share = getattr(section, key)
        _require(0.0 <= share <= 1.0, f"prune.{key}", share, "0..1")
    _require(0.0 <= section.fade < 1.0, "prune.fade", section.fade, "0 <= fade < 1")
    if MODES[section.mode].from_zero and section.train.psgd > 0.0 and section.train.psgd_target == "zero":
        raise InputError(
            f"mode '{section.mode}' lets weights return at zero, where scaling towards zero holds them",
            where="prune.train.psgd_target",
            expected="grid, or prune.train.psgd = 0",
        )
    first = event_steps(section.train.steps, section.events, section.event_share, section.event_warmup)[0]
    if SCORES[section.score].build is None and first == 0:
        raise InputError(
            "no step is scored before the first event",
            where="prune",
            found=f"{section.events} events in {section.train.steps} steps",
            remedy="take more steps or fewer events, or a score that needs no steps",
        )


def _check_quantize(section: QuantizeSection) -> None:
    _require_known(section.quantizer, QUANTIZERS, "quantize.quantizer")
    _require_known(section.other_quantizer, QUANTIZERS, "quantize.other_quantizer")
    _require_known(section.initialisation, INITIALISATIONS, "quantize.initialisation")
    _require_known(section.calibration, CALIBRATION_RULES, "quantize.calibration")
    widths = QUANTIZERS[section.quantizer].widths
    ends = dict.fromkeys((widths[0], widths[-1]))
    expected = f"{'..'.join(map(str, ends))} with quantizer {section.quantizer}, or {FLOAT_BITS}"
    _require(section.weight_bits in (*widths, FLOAT_BITS), "quantize.weight_bits", section.weight_bits, expected)
    _check_allocation(section)


def _check_allocation(section: QuantizeSection) -> None:
    """What an allocation would find out only after the stages before it."""
    if ALLOCATIONS[section.allocation].choose is None:
        return
    low, high = section.candidates[0], section.candidates[-1]
    bits = section.budget_bits or section.weight_bits
    inside = bool(section.budget_share) or low <= bits <= high
    _require(inside, "quantize.budget_bits", f"{bits:g}", f"{low}..{high}, as the candidates")
    for width in section.candidates:
        builder_for(width, section.quantizer, section.other_quantizer)


def _check_joint(recipe: Recipe) -> None:
    """What pruning cannot do once quantizers are on the network."""
    if recipe.prune is None or recipe.quantize is None or not prunes_under_quantizers(recipe):
        return
    section, order = recipe.prune, f"order '{recipe.order}' prunes behind quantizers"
    if not SCORES[section.score].under_quantizers:
        known = ", ".join(name for name, score in SCORES.items() if score.under_quantizers)
        raise InputError(
            f"{order}, where this score is wrong", where="prune.score", found=section.score, expected=known
        )
    if section.pattern == "channel":
        raise InputError(f"{order}, which fit no smaller layers", where="prune.pattern", found=section.pattern)
    if not QUANTIZERS[recipe.quantize.quantizer].takes_zeros:
        found = recipe.quantize.quantizer
        raise InputError(f"{order}, and this one keeps no zeros", where="quantize.quantizer", found=found)
    if section.mode == "reconstruct":
        raise InputError(f"{order}, where layers cannot be solved again", where="prune.mode", found=section.mode)


def _check_teachers(recipe: Recipe) -> None:
    """Pruned weights can only be put back into a network that is pruned, and still built as the dense one."""
    removed = recipe.prune is not None and recipe.prune.pattern == "channel"
    whole = set() if removed or prunes_under_quantizers(recipe) else {"prune.train", "finetune"}
    for key, settings in recipe.phases.items():
        if key not in whole and settings.needs_teacher and settings.teacher == "in_network":
            raise InputError(
                "no pruned weights to put back: the network is dense, quantized or pruned by channels",
                where=f"{key}.teacher",
                found=settings.teacher,
                expected="dense",
            )


def _require(holds: bool, key: str, found: object, expected: str) -> None:
    if not holds:
        raise InputError("out of range", where=key, found=found, expected=expected)


def _require_known(name: str, known: Collection[str], key: str) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise InputError(
            f"unknown name '{name}'",
            where=key,
            expected=", ".join(known),
            remedy=f"did you mean '{near[0]}'?" if near else None,
        )
