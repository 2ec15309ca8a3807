"""Parameter counts: what of a network's state inference needs."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn


def inference_parameters(network: nn.Module, left_out: Collection[str]) -> int:
    """Parameters that inference needs: quantizers' steps are not counted, a parametrized weight once."""
    return sum(
        parameter.numel()
        for name, parameter in network.named_parameters()
        if ".input_quantizer." not in name and not _is_step(name) and not is_below(name, left_out)
    )


def inference_statistics(network: nn.Module, left_out: Collection[str]) -> int:
    """Elements of BatchNorm's means and variances that inference needs."""
    return sum(
        buffer.numel()
        for name, buffer in network.named_buffers()
        if name.endswith(("_mean", "_var")) and not is_below(name, left_out)
    )


def is_below(name: str, modules: Collection[str]) -> bool:
    """Whether a parameter or a module is one of these modules or inside of one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def _is_step(name: str) -> bool:
    parts = name.split(".")
    return "parametrizations" in parts and not parts[-1].startswith("original")
