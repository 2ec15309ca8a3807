"""Checks before a run makes its folder: what several sections, the machine and the named files must allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from disparsity.base import distributed
from disparsity.base.choice import names_of
from disparsity.base.devices import choose_device
from disparsity.base.errors import InputError
from disparsity.base.notices import notice
from disparsity.cost import check_pixels
from disparsity.evaluation.latency import check_runtime
from disparsity.finetune.teachers import check_distributions
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.pruning.masks import masks_of
from disparsity.pruning.scores.settings import ScoreSettings
from disparsity.recipe.input_size import report_size
from disparsity.recipe.plan import check_order, prunes_under_quantizers
from disparsity.recipe.recipe import Recipe
from disparsity.run.data_checks import check_data
from disparsity.run.network_contract import check_contract, check_layers
from disparsity.run.stages.channel_pruning import try_channels
from disparsity.run.supported_operators import check_operators
from disparsity.run.tensorboard import check_tensorboard
from disparsity.stereo.network import StereoNetwork

if TYPE_CHECKING:
    from disparsity.run.context import RunContext


def check_settings(recipe: Recipe) -> None:
    """What several sections or the machine must allow, without touching a file.

    Raises:
        InputError: something is impossible; the message names its key.

    """
    choose_device(recipe.device)
    _check_batch(recipe)
    if recipe.report.tensorboard:
        check_tensorboard()
    check_order(recipe)
    _check_joint(recipe)
    _check_teachers(recipe)
    load_profile(recipe.report.profile)
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
    if any(phase.teacher.volume_weight > 0 for phase in context.recipe.phases.values()):
        check_distributions(network)
    if context.recipe.prune is not None or context.recipe.quantize is not None:
        check_operators(network, batch.left, batch.right)
        if network.spec.unused:
            notice(f"never run, and left out of every stage and figure: {', '.join(network.spec.unused)}")
        check_layers(network, context.recipe)
    section = context.recipe.prune
    if section is not None and section.pattern.name == "channel" and not masks_of(network):
        try_channels(network, section.floor_fraction, section.sparsity, batch.left, batch.right)


def check_report(recipe: Recipe) -> None:
    """A report needs an input size.

    Raises:
        InputError: the recipe names neither a size nor test data, or the size is too large.

    """
    check_pixels(report_size(recipe))


def _check_batch(recipe: Recipe) -> None:
    """A batch is shared evenly by the run's processes, and by the parts that each of them takes one after the other."""
    batch, shared = recipe.data.batch, distributed.processes()
    if batch % shared:
        expected = f"a multiple of the {shared} processes of this run"
        raise InputError("out of range", where="data.batch", found=batch, expected=expected)
    for key, phase in recipe.phases.items():
        parts = phase.grad_accumulation_steps
        if batch % (shared * parts):
            expected = f"a divisor of the {batch // shared} pairs that a process has"
            raise InputError("out of range", where=f"{key}.grad_accumulation_steps", found=parts, expected=expected)


def _check_joint(recipe: Recipe) -> None:
    """What pruning cannot do once quantizers are on the network."""
    if recipe.prune is None or recipe.quantize is None or not prunes_under_quantizers(recipe):
        return
    section, order = recipe.prune, f"order '{recipe.order}' prunes behind quantizers"
    if not section.score.under_quantizers:
        known = ", ".join(names_of(ScoreSettings, under_quantizers=True))
        where, found = "prune.score", section.score.name
        raise InputError(f"{order}, where this score is wrong", where=where, found=found, expected=known)
    if section.pattern.name == "channel":
        raise InputError(f"{order}, which fit no smaller layers", where="prune.pattern", found="channel")
    if not recipe.quantize.quantizer.keeps_zeros:
        where, name = "quantize.quantizer", recipe.quantize.quantizer.name
        raise InputError(f"{order}, and this one keeps no zeros", where=where, found=name)
    if section.mode.name == "reconstruct":
        raise InputError(f"{order}, where layers cannot be solved again", where="prune.mode", found="reconstruct")


def _check_teachers(recipe: Recipe) -> None:
    """Pruned weights can only be put back into a network that is pruned, and still built as the dense one."""
    removed = recipe.prune is not None and recipe.prune.pattern.name == "channel"
    whole = set() if removed or prunes_under_quantizers(recipe) else {"prune.train", "finetune"}
    for key, settings in recipe.phases.items():
        if key not in whole and settings.needs_teacher and settings.teacher.name == "in_network":
            raise InputError(
                "no pruned weights to put back: the network is dense, quantized or pruned by channels",
                where=f"{key}.teacher",
                found=settings.teacher.name,
                expected="dense",
            )
