"""Reparametrizations of a user's network (weight norm, spectral norm, pruning masks), folded into plain weights."""

from __future__ import annotations

from typing import cast

from torch import nn
from torch.nn.utils import parametrize, prune, remove_spectral_norm, remove_weight_norm
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from disparsity.base.eval_mode import evaluating


def fold_reparametrizations(network: nn.Module) -> None:
    """Replace every weight that is computed from others by its value, in place: the network's function stays the same.

    Pruning, quantization and exports work on plain weights, and training continues from them.
    """
    with evaluating(network):
        for module in network.modules():
            for name in (
                list(cast(nn.ModuleDict, module.parametrizations)) if parametrize.is_parametrized(module) else ()
            ):
                parametrize.remove_parametrizations(module, name, leave_parametrized=True)
            for hook in list(module._forward_pre_hooks.values()):
                _fold_hook(module, hook)


def _fold_hook(module: nn.Module, hook: object) -> None:
    """Fold what torch's older functions do in a forward pre-hook; other hooks stay."""
    if isinstance(hook, WeightNorm):
        remove_weight_norm(module, hook.name)
    elif isinstance(hook, SpectralNorm):
        remove_spectral_norm(module, hook.name)
    elif isinstance(hook, prune.BasePruningMethod):
        prune.remove(module, hook._tensor_name)  # type: ignore[no-untyped-call]
