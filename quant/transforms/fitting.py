"""Transform fitting: the basis from the network's gradients, the steps from its output.

Source: Young et al., TPAMI 2021: the gradients' second moments behind the ELT, and algorithm 2, which quantizes one
block of rows at a time, all else in float, and keeps the step with the smallest distortion of the output.
Interpretation: the moments are estimated from random projections of the output (Hutchinson), since a disparity map has
as many outputs as pixels; bits are chosen before, and steps are tried at half and twice their size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from disparsity.base.eval_mode import evaluating
from disparsity.base.layers import trained_weight
from disparsity.quant.attach import input_quantizer, quantized_layers, weight_quantizer
from disparsity.quant.quantizers.settings import TransformSettings
from disparsity.quant.quantizers.transform import TransformWeight
from disparsity.quant.transforms.rates import RowGrids

_SHIFTS = (0, -1, 1)


def fit_transforms(
    network: nn.Module, inputs: tuple[Tensor, ...], settings: TransformSettings, generator: torch.Generator
) -> None:
    """Fit every `TransformWeight` of a network, in place; without any, nothing is done.

    Args:
        network: whose last (or only) output is what must not change; trained weights stay as they are.
        inputs: positional arguments of one forward pass over a batch.
        settings: basis, blocks and probes.
        generator: of the random projections.

    """
    layers = transform_layers(network)
    if not layers:
        return
    with evaluating(network), _in_float(network, layers):
        if settings.basis == "elt":
            moments = gradient_moments(network, layers, inputs, settings.probes, generator)
            for name, layer in layers.items():
                _quantizer(layer).fit(trained_weight(layer), moments[name])
        if settings.blocks:
            choose_steps(network, layers, inputs, settings.blocks)


def transform_layers(network: nn.Module) -> dict[str, nn.Module]:
    """The layers whose weights are transformed, by name."""
    layers = quantized_layers(network)
    return {name: layer for name, layer in layers.items() if isinstance(weight_quantizer(layer), TransformWeight)}


def gradient_moments(
    network: nn.Module,
    layers: Mapping[str, nn.Module],
    inputs: tuple[Tensor, ...],
    probes: int,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """By layer ``[n, n]`` float64: the sum over columns j of ``E[g_j g_j^T]`` with g the gradient of ``z^T y``.

    For z of independent standard normal values the expectation is the sum over all outputs y.
    """
    trained = [trained_weight(layer).requires_grad_() for layer in layers.values()]
    sums = {name: torch.zeros(len(_quantizer(layer).mixing), dtype=torch.float64) for name, layer in layers.items()}
    sums = {name: torch.diag(zeros).to(trained[0].device) for name, zeros in sums.items()}
    output = last_output(network(*inputs))
    for probe in range(probes):
        weights = torch.randn(output.shape, generator=generator).to(output)
        keep = probe + 1 < probes
        gradients = torch.autograd.grad(output, trained, weights, retain_graph=keep, materialize_grads=True)
        for (name, layer), gradient in zip(layers.items(), gradients, strict=True):
            rows = _quantizer(layer).to_rows(gradient).double()
            sums[name] += rows @ rows.T / probes
    return sums


@torch.no_grad()
def choose_steps(network: nn.Module, layers: Mapping[str, nn.Module], inputs: tuple[Tensor, ...], blocks: int) -> None:
    """Halve or double the steps of blocks of rows where that brings the output nearer to that of the float weights."""
    goal = last_output(network(*inputs))
    for layer in layers.values():
        quantizer, weight = _quantizer(layer), trained_weight(layer)
        rows, grids = quantizer.transformed(weight), quantizer.grids()
        for block in (grids.bits > 0).nonzero()[:, 0].tensor_split(blocks):
            if len(block):
                tried = [_shifted(grids, block, shift) for shift in _SHIFTS]
                errors = [_distortion(network, inputs, goal, layer, rows, block, one) for one in tried]
                grids = tried[errors.index(min(errors))]
        quantizer.stand_in = weight.detach()
        quantizer.set_grids(grids, weight)


def last_output(outputs: Tensor | tuple[Tensor, ...] | list[Tensor]) -> Tensor:
    """The finest of a network's maps."""
    return outputs if isinstance(outputs, Tensor) else outputs[-1]


def _distortion(
    network: nn.Module,
    inputs: tuple[Tensor, ...],
    goal: Tensor,
    layer: nn.Module,
    rows: Tensor,
    block: Tensor,
    grids: RowGrids,
) -> float:
    """The squared change of the output when only these rows of this layer are quantized."""
    errors = torch.zeros_like(rows)
    errors[block] = (torch.ldexp(grids.codes(rows), grids.exponents[:, None]) - rows)[block]
    quantizer = _quantizer(layer)
    quantizer.stand_in = trained_weight(layer).detach() + quantizer.weight_of(errors)
    return float((last_output(network(*inputs)) - goal).double().square().sum())


def _shifted(grids: RowGrids, block: Tensor, shift: int) -> RowGrids:
    exponents = grids.exponents.clone()
    exponents[block] += shift
    return replace(grids, exponents=exponents)


@contextmanager
def _in_float(network: nn.Module, layers: Mapping[str, nn.Module]) -> Iterator[None]:
    """All inputs and the transformed weights in float while the context lasts."""
    inputs = [found for layer in quantized_layers(network).values() if (found := input_quantizer(layer))]
    for found in inputs:
        found.observer = _look_away
    for layer in layers.values():
        _quantizer(layer).stand_in = trained_weight(layer).detach()
    try:
        yield
    finally:
        for found in inputs:
            found.observer = None
        for layer in layers.values():
            _quantizer(layer).stand_in = None


def _look_away(values: Tensor) -> None:
    del values


def _quantizer(layer: nn.Module) -> TransformWeight:
    quantizer = weight_quantizer(layer)
    assert isinstance(quantizer, TransformWeight)
    return quantizer
