"""SynFlow: how much of the paths through a network runs over a weight; needs no data."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from disparsity.base.layers import trained_weight
from disparsity.pruning.scores.evidence import no_evidence
from disparsity.pruning.scores.score import ScorePass, ScoringContext

_LEFT_OUT = frozenset({"softmax", "sigmoid", "tanh", "neg", "__neg__", "clamp", "relu6", "hardtanh"})
_DIFFERENCES = frozenset({"sub", "__sub__", "subtract"})


class PositiveFlow(TorchFunctionMode):
    """Inside this context a network of non-negative weights is a sum over paths, in float64.

    Squashing functions, clamps and negations of what depends on weights are left out, and a difference of two such
    tensors is their sum: its coefficient -1 counts by its absolute value as weights do. float32 would overflow where
    many layers multiply, so casts to it are casts to float64.
    """

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        """The function, or what stands for it here."""
        del types
        options = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if options.get("dtype") is torch.float32:
            options["dtype"] = torch.float64
        if name == "float" and isinstance(args[0], Tensor):
            return args[0].double()
        if name in _LEFT_OUT and _depends(args[:1]):
            return args[0]
        if name in _DIFFERENCES and _depends(args[:2]):
            return torch.add(*args, **options)  # type: ignore[call-overload]
        return func(*args, **options)


def synflow_scores(
    network: nn.Module, layers: Mapping[str, nn.Module], ones_response: Callable[[nn.Module], Tensor]
) -> dict[str, Tensor]:
    """``(dR / dw) w`` of the network with absolute weights, R being its summed response to inputs of ones.

    Source: SynFlow (Tanaka et al., NeurIPS 2020), section 5; the paper's R is a product of absolute weight matrices.
    Interpretation of what stereo networks have besides: BatchNorm scales by ``|gamma| / sqrt(running variance)`` and
    shifts by nothing, biases are zero, the soft-argmin is the sum of the volume weighted by disparity, both views are
    ones, and a difference of views is their sum (see `PositiveFlow`; with equal views it would be zero and cut every
    path). Layers that only training runs have no score. Scores are relative to the largest: the product of many layers
    exceeds float32; what is 45 decades smaller becomes zero, such as a concatenated volume beside a correlation, whose
    paths run through the towers twice.

    Args:
        network: left as it is; a copy in float64 is scored.
        layers: the scored layers by name.
        ones_response: R of the network that it is given, a float64 scalar.

    """
    positive = positive_copy(network)
    with PositiveFlow():
        response = ones_response(positive)
    weights = [trained_weight(positive.get_submodule(name)) for name in layers]
    gradients = torch.autograd.grad(response, weights, allow_unused=True)
    flows = [
        no_evidence(weight) if gradient is None else (weight * gradient).detach().abs()
        for weight, gradient in zip(weights, gradients, strict=True)
    ]
    most = max(float(flow.max()) for flow in flows)
    return {name: (flow / (most or 1.0)).float() for name, flow in zip(layers, flows, strict=True)}


@torch.no_grad()
def positive_copy(network: nn.Module) -> nn.Module:
    """A copy in float64 and eval mode without shifts, every parameter by its absolute value; masks as they are."""
    positive = copy.deepcopy(network).double().eval()
    for name, parameter in positive.named_parameters():
        parameter.requires_grad_()
        parameter.zero_() if name.rsplit(".", 1)[-1] == "bias" else parameter.abs_()
    for name, buffer in positive.named_buffers():
        if name.rsplit(".", 1)[-1] == "running_mean":
            buffer.zero_()
    return positive


def _depends(operands: tuple[object, ...]) -> bool:
    return bool(operands) and all(isinstance(operand, Tensor) and operand.requires_grad for operand in operands)


def build_synflow(context: ScoringContext, _settings: object) -> ScorePass:
    """The flow through the weights that remain at the event."""
    return lambda _event: synflow_scores(context.network, context.layers, context.ones_response)
