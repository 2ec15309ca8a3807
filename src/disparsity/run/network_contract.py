"""Contract of a user's network, tried out before a run's folder is made: rebuilt, stored, run and trained for a step.

Networks of this package keep it by their own tests, so only networks named ``module:callable`` are tried out.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.base.eval_mode import evaluating
from disparsity.base.layers import quantizable_layers
from disparsity.base.trace.dry_run import trace_network
from disparsity.checkpoint.restore import stage_of
from disparsity.datasets.batches.stream import Batch
from disparsity.datasets.uri import open_data
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.recipe.input_size import report_size
from disparsity.recipe.recipe import Recipe
from disparsity.run.layer_calls import check_weights, unchanging_layers
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network
from disparsity.stereo.user_code import user_errors

if TYPE_CHECKING:
    from disparsity.run.context import RunContext


def check_contract(context: RunContext, network: StereoNetwork) -> None:
    """Refuse a network that would fail in the middle of the run.

    Args:
        context: of the run; its first training batch is taken, and the first pair of every test set.
        network: that the run starts from; left as it is.

    Raises:
        InputError: it cannot be built again from its spec, stored, copied, run or trained.

    """
    if not network.users_own:
        return
    check_storing(network)
    with torch.random.fork_rng():
        if stage_of(context.dense) == "dense":
            check_rebuilding(context.dense)
        check_sizes(network, _pairs(context.recipe, context.device))
        _check_report_size(network, context)
        if any(settings.steps for settings in context.recipe.phases.values()):
            check_training_step(network, context.stream.next_batch(0))


def check_layers(network: StereoNetwork, recipe: Recipe) -> None:
    """Refuse a network without a single layer that the recipe's stages could compress.

    Raises:
        InputError: there is none.

    """
    layers = [name for name in quantizable_layers(network) if network.spec.compresses(name)]
    prunable = [name for name in layers if name not in network.spec.protected]
    if (recipe.prune is not None and not prunable) or (recipe.quantize is not None and not layers):
        raise InputError(
            "no layer to compress",
            where=network.spec.name,
            found=f"{len(layers)} layers, {len(prunable)} of them not protected",
            expected="convolutions, transposed convolutions or linear layers",
        )


def check_rebuilding(network: StereoNetwork) -> None:
    """Refuse a dense network that its callable does not give again with the settings of its spec, as JSON holds them.

    Raises:
        InputError: the settings are no plain values, the callable does not take them, or it gives another network or
            the very same object.

    """
    name, settings = network.spec.name, network.spec.settings
    try:
        stored = json.loads(json.dumps(settings))
    except (TypeError, ValueError) as error:
        raise InputError("the spec's settings cannot be stored", where=name, found=str(error)) from None
    again = build_network(name, **stored)
    shapes, others = ({key: tuple(v.shape) for key, v in each.state_dict().items()} for each in (network, again))
    wrong = [key for key in shapes | others if shapes.get(key) != others.get(key)]
    if wrong:
        found = f"'{wrong[0]}' {shapes.get(wrong[0], 'missing')}, then {others.get(wrong[0], 'missing')}"
        remedy = "put every argument of the callable into the spec's settings"
        raise InputError(f"built again with {stored} it is another network", where=name, found=found, remedy=remedy)
    if set(map(id, again.modules())) & set(map(id, network.modules())):
        raise InputError("every call gives the same object", where=name, expected="a new network from every call")


def check_storing(network: StereoNetwork) -> None:
    """Refuse a network whose state is more than named tensors.

    Raises:
        InputError: a checkpoint cannot hold the state.

    """
    others = [key for key, value in network.state_dict().items() if not isinstance(value, Tensor)]
    if others:
        found = f"'{others[0]}' in the state dict"
        raise InputError("a checkpoint holds tensors only", where=network.spec.name, found=found)


def check_sizes(network: StereoNetwork, pairs: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Refuse a network that fails on views ``[1, 3, H, W]``, or returns more maps than it has loss weights.

    Raises:
        InputError: it does.

    """
    with torch.no_grad(), evaluating(network):
        for left, right in pairs:
            with unchanging_layers(network):
                _check_count(network, network(left, right))
            check_weights(network, left, right)


def check_training_step(network: StereoNetwork, batch: Batch) -> None:
    """Refuse a network that one training step on a copy shows to be untrainable.

    Raises:
        InputError: nothing in it is trainable, its maps do not depend on what is, it returns more maps than it has loss
            weights, its backward pass fails, or it cannot be copied before or after the step.

    """
    name = network.spec.name
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise InputError(
            "nothing in the network is trainable", where=name, expected="parameters that require gradients"
        )
    copied = _copied(network).train()
    _check_count(copied, copied(batch.left, batch.right))
    with user_errors(name, "the network cannot be trained"):
        loss = Objective(settings=TrainSettings(steps=0))(copied, batch)
    if not loss.requires_grad:
        remedy = "does forward leave torch (NumPy, .detach(), no_grad) between its layers and its maps?"
        raise InputError("no gradient reaches the network's parameters", where=name, remedy=remedy)
    with user_errors(name, "the network cannot be trained"):
        loss.backward()  # type: ignore[no-untyped-call]
    _copied(copied)


def _check_count(network: StereoNetwork, maps: tuple[Tensor, ...]) -> None:
    weights = network.spec.loss_weights
    if len(maps) > len(weights):
        mode = "training" if network.training else "eval"
        raise InputError(
            "more disparity maps than loss weights",
            where=network.spec.name,
            found=f"{len(maps)} maps in {mode} mode, loss_weights = {weights}",
            expected="a weight per map, coarse to fine, in the spec's loss_weights",
        )


def _copied(network: StereoNetwork) -> StereoNetwork:
    remedy = "keep no locks, files or results of forward as attributes"
    with user_errors(network.spec.name, "the network cannot be copied", remedy):
        return copy.deepcopy(network)


def _pairs(recipe: Recipe, device: torch.device) -> Iterable[tuple[Tensor, Tensor]]:
    """The first views of every test set."""
    for uri in recipe.data.test:
        sample = open_data(uri)[0]
        yield sample.left[None].to(device), sample.right[None].to(device)


def _check_report_size(network: StereoNetwork, context: RunContext) -> None:
    """Costs are counted at this size, at the very end of a run."""
    if context.recipe.report.size:
        views = torch.zeros(1, 3, *report_size(context.recipe), device=context.device)
        with evaluating(network):
            trace_network(network, (views, views))
