"""Layer-wise least squares: every layer's surviving weights reproduce the dense layer from compressed inputs.

For each layer in order of execution, X are input patches seen by the network compressed so far, Y the dense
network's outputs of the same layer at the same positions (before BatchNorm). For every output channel the surviving
weights w and the bias b minimise ``|X w + b - Y|^2 + ridge |w - w_old|^2``. No labels, no learning rate.

Source of the idea: He et al., ICCV 2017 (channel pruning by least squares) and Hubara et al., 2021 (layer-wise
calibration); per-element masks on 2D and 3D convolutions of a stereo network are an Interpretation.

The whole pass is one forward of the compressed network: a hook solves each layer when its input arrives, so that
the layers behind it already see the solved weights. A layer whose weight is quantized gets integer codes instead: its
weights are rounded one after the other, the rest of the filter making up for each rounding, and then improved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from disparsity.base.layers import trained_weight
from disparsity.finetune.reconstruction.grid_descent import descend_on_grid
from disparsity.finetune.reconstruction.normal_equations import normal_equations, round_to_grid, solve_masked
from disparsity.finetune.reconstruction.patches import output_at, patches, random_positions, supports
from disparsity.pruning.masks import masks_of
from disparsity.quant.attach import weight_quantizer


@dataclass(frozen=True)
class LayerTarget:
    """The dense layer's outputs ``[n, C_out]`` at sampled positions ``[n, 1 + dims]``."""

    positions: Tensor
    outputs: Tensor


def dense_targets(
    dense: nn.Module, forward: Callable[[nn.Module], object], positions: int, seed: int
) -> dict[str, LayerTarget]:
    """Targets of every layer that can be reconstructed, by name; of a layer called twice, the first call's."""
    targets: dict[str, LayerTarget] = {}
    generator = torch.Generator().manual_seed(seed)

    def keep(name: str, _layer: nn.Module, _inputs: object, output: Tensor) -> None:
        if name not in targets:
            where = random_positions(output, positions, generator)
            targets[name] = LayerTarget(where, output_at(output, where))

    with ExitStack() as stack, torch.no_grad():
        for name, layer in dense.named_modules():
            if supports(layer):
                hook = layer.register_forward_hook(partial(keep, name))
                stack.callback(hook.remove)
        dense.eval()
        forward(dense)
    return targets


def reconstruct(
    network: nn.Module,
    targets: dict[str, LayerTarget],
    forward: Callable[[nn.Module], object],
    ridge: float,
    *,
    solve: bool = True,
) -> dict[str, Tensor]:
    """Solve every layer of `network` against the dense targets, in place, BatchNorm in eval mode.

    Args:
        network: masks attached or not; a layer without a mask is solved densely.
        targets: from `dense_targets`, for the same forward.
        forward: runs a network on the calibration batch.
        ridge: pull towards the old weights, relative to the mean diagonal of the normal matrix.
        solve: false leaves the weights as they are and only measures saliencies.

    Returns:
        the saliency of every weight (`Solution.saliency`, in the weight's shape) by layer, in order of execution;
        layers that cannot be lowered, or whose weights are no integers, are left alone and are missing.

    """
    masks = masks_of(network)
    saliencies: dict[str, Tensor] = {}

    def visit(name: str, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if name not in saliencies:
            rows = patches(layer, inputs[0], targets[name].positions)
            saliencies[name] = _solve_layer(layer, rows, targets[name], masks.get(name), ridge, solve)

    training = network.training
    with ExitStack() as stack, torch.no_grad():
        for name in targets:
            layer = network.get_submodule(name)
            quantizer = weight_quantizer(layer)
            if quantizer is not None and not quantizer.integer:
                continue  # its factors have no codes of single weights to round
            hook = layer.register_forward_pre_hook(partial(visit, name))
            stack.callback(hook.remove)
        network.eval()
        forward(network)
    network.train(training)
    return saliencies


def _solve_layer(
    layer: nn.Module, rows: Tensor, target: LayerTarget, mask: Tensor | None, ridge: float, solve: bool
) -> Tensor:
    weight, bias = trained_weight(layer), layer.bias
    assert bias is None or isinstance(bias, Tensor)
    alive = (torch.ones_like(weight, dtype=torch.bool) if mask is None else mask).flatten(1)
    constant = alive.new_full((len(alive), 1), bias is not None)
    biases = weight.new_zeros(len(alive), 1) if bias is None else bias[:, None]
    old = torch.cat([weight.flatten(1) * alive, biases], dim=1)
    free = torch.cat([alive, constant], dim=1)
    equations = normal_equations(rows, target.outputs)
    quantizer = weight_quantizer(layer)
    with _one_thread():
        solution = solve_masked(equations, old, free, ridge)
        values = solution.values
        if quantizer is not None:
            steps, nearest = quantizer.steps().double(), quantizer.levels.nearest_code
            rounded = round_to_grid(equations, values, free, steps, nearest, ridge)
            values = descend_on_grid(equations, rounded, values, free, steps, nearest, ridge)
    if solve:
        weight.copy_(values[:, :-1].reshape(weight.shape))
        if bias is not None:
            bias.copy_(values[:, -1])
    return solution.saliency.float().view(weight.shape)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Hundreds of small factorizations: on a busy machine threads cost them far more than they gain."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
