"""Weight bytes: how many bytes of a packed network each layer takes, measured while it is coded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # reports read the figures without the compiler that the model needs
    from disparsity.hwcost.codec.context_model import LogisticModel


class WeightBytes:
    """How many bytes of a stream each layer's weights took, to the byte that happened to be complete.

    Steps and float values of all layers are coded together; a layer counts with its share of their number.
    A decoder measures nothing.
    """

    def __init__(self) -> None:
        self.by_layer: dict[str, float] = defaultdict(float)
        self._start = 0

    @property
    def total(self) -> int:
        """Of all layers."""
        return round(sum(self.by_layer.values()))

    def start(self, model: LogisticModel) -> None:
        """What follows belongs to the layers named at `stop`."""
        self._start = model.coder.written

    def stop(self, model: LogisticModel, shares: Mapping[str, int]) -> None:
        """Divide what was written since `start` by the layers' shares."""
        spent, total = model.coder.written - self._start, sum(shares.values())
        for name, share in shares.items():
            self.by_layer[name] += spent * share / total if total else 0.0


@dataclass(frozen=True)
class Packing:
    """The bytes of a packed network, and how many of them each layer's weights take."""

    content: bytes
    weight_bytes: WeightBytes
