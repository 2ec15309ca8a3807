"""Quantization-aware Taylor score: the change of the loss when a quantized weight is removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import cast

from torch import Tensor, nn
from torch.nn.utils import parametrize

from disparsity.base.layers import trained_weight
from disparsity.pruning.masks import WeightMask
from disparsity.pruning.scores.evidence import no_evidence
from disparsity.pruning.scores.passes import gradient_pass
from disparsity.pruning.scores.score import ScorePass, ScoringContext
from disparsity.pruning.scores.settings import QuantAwareSettings
from disparsity.pruning.scores.taylor import taylor_term


def quant_aware_scores(
    network: nn.Module,
    layers: Mapping[str, nn.Module],
    batch_loss: Callable[[int], Tensor],
    batches: int,
    rounded: Callable[[nn.Module], Tensor],
    form: str = "mean_sq",
) -> dict[str, Tensor]:
    """Taylor scores of the quantized weights: ``E_b[(Q(w) g)^2]`` with the gradient by ``Q(w)``, not by ``w``.

    A quantizer passes no gradient to a weight that it clips, so that the trained tensor's gradient would give the
    largest weights of a layer a score of zero. Where nothing is quantized this is the plain Taylor score.

    Interpretation: that pruning and quantization are joined through this score in "Joint Pruning and Quantization for
    Extremely Sparse Neural Networks" is not known; the sum of squares is that of Molchanov et al., CVPR 2019, equation
    8, at the point of the weights that are deployed.

    Args:
        network: put into eval mode for the pass and back afterwards; masks and quantizers attached or not.
        layers: the scored layers.
        batch_loss: the training loss of batch number i.
        batches: how many.
        rounded: a layer's trained weight as its quantizer rounds it, whether it is pruned or not.
        form: name in `TAYLOR_FORMS`.

    """
    sums: dict[str, Tensor] = {}
    with _watched(layers) as gradients:

        def take() -> None:
            for name, layer in layers.items():
                gradient = gradients(name)
                if gradient is not None:
                    term = taylor_term(rounded(layer), gradient, form)
                    sums[name] = sums[name] + term if name in sums else term

        gradient_pass(network, batch_loss, batches, take)
    means = {name: total.abs() / batches if form == "abs_mean" else total / batches for name, total in sums.items()}
    return {name: means[name] if name in means else no_evidence(trained_weight(layers[name])) for name in layers}


def build_quant_aware(context: ScoringContext, settings: QuantAwareSettings) -> ScorePass:
    """A pass over the same batches at every event."""
    return lambda _event: quant_aware_scores(
        context.network, context.layers, context.batch_loss, settings.batches, context.rounded, settings.form
    )


@contextmanager
def _watched(layers: Mapping[str, nn.Module]) -> Iterator[Callable[[str], Tensor | None]]:
    """Sum the gradients by a layer's effective weight over all its calls, until they are read; None without any."""
    seen: dict[str, Tensor] = {}
    handles = []
    for name, layer in layers.items():
        if parametrize.is_parametrized(layer, "weight"):
            handles.append(_chain(layer)[-1].register_forward_hook(_adding_to(seen, name)))

    def gradient(name: str) -> Tensor | None:
        layer = layers[name]
        if not parametrize.is_parametrized(layer, "weight"):
            return trained_weight(layer).grad
        found = seen.pop(name, None)
        return None if found is None else _reaching(layer, found)

    try:
        yield gradient
    finally:
        for handle in handles:
            handle.remove()


def _adding_to(seen: dict[str, Tensor], name: str) -> Callable[[nn.Module, object, Tensor], None]:
    def add(gradient: Tensor) -> None:
        seen[name] = seen[name] + gradient if name in seen else gradient.detach()

    def watch(_module: nn.Module, _inputs: object, effective: Tensor) -> None:
        if effective.requires_grad:
            effective.register_hook(add)  # type: ignore[no-untyped-call]

    return watch


def _reaching(layer: nn.Module, gradient: Tensor) -> Tensor:
    """What of a gradient the layer's mask lets through to the trained tensor, as for every other Taylor score."""
    masks = [module for module in _chain(layer) if isinstance(module, WeightMask)]
    for module in masks:
        gradient = gradient if module.straight_through else gradient * module.mask
    return gradient


def _chain(layer: nn.Module) -> nn.ModuleList:
    return cast(nn.ModuleList, cast(nn.ModuleDict, layer.parametrizations)["weight"])
