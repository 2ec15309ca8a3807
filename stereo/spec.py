"""Network spec: the properties of a network that the stages need, so that no stage depends on one network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """The contract of one network.

    Attributes:
        name: preset name, as in `disparsity list networks`.
        settings: the plain values from which the network is rebuilt.
        divisor: height and width are padded at the top and on the right to multiples of this.
        mean: per-channel mean that the preprocessing subtracts from RGB in 0..1.
        std: per-channel divisor of the preprocessing.
        max_disparity: largest disparity that the cost volume covers, in pixels.
        first: layers that see only the image; stage two can give them bits of their own.
        protected: layers that are never pruned and keep 8 bits (the last, one-channel layers).
        wide_inputs: layers whose input mixes ranges (disparity in pixels beside colours), kept at 16 bits.
        loss_weights: weight of each map that the network returns in training mode, coarse to fine. In eval mode a
            network may leave out the coarse maps; the maps that are left keep their weights.
        training_only: modules that run in training mode only, for the coarse maps. Nothing compresses, packs or counts
            them: the network that runs on an accelerator has none of them.
        uncompressed: modules that run, but that no stage compresses: their layers stay dense and in float, and are
            counted as that. Fine-tuning trains them with the rest.
        unused: modules that never run: not declared, but found when a run starts.

    """

    name: str
    settings: dict[str, int | float | str]
    divisor: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    max_disparity: int
    protected: tuple[str, ...]
    first: tuple[str, ...] = ()
    wide_inputs: tuple[str, ...] = ()
    loss_weights: tuple[float, ...] = (1.0,)
    training_only: tuple[str, ...] = ()
    uncompressed: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def not_at_inference(self) -> tuple[str, ...]:
        """Modules that the network on an accelerator has none of: nothing compresses, packs or counts them."""
        return (*self.training_only, *self.unused)

    def compresses(self, layer: str) -> bool:
        """Whether the stages may prune and quantize a layer of this name (`protected` ones they only quantize)."""
        return not is_below(layer, (*self.not_at_inference, *self.uncompressed))


def is_below(name: str, modules: Iterable[str]) -> bool:
    """Whether a layer or a tensor is one of these modules or inside of one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)
