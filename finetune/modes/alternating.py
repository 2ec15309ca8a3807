"""Mode `alternating`: sparse and dense phases in turn."""

from __future__ import annotations

from torch import nn

from disparsity.finetune.modes.base import EventWindow
from disparsity.finetune.modes.frozen import Frozen
from disparsity.finetune.modes.settings import AlternatingSettings
from disparsity.pruning.masks import mask_modules


class Alternating(Frozen):
    """After every event a sparse phase, then a dense one in which all weights are trained until the next event.

    The dense phase takes the last `dense_fraction` of the steps between two events, and at least leaves one step to the
    sparse phase. Pruned weights enter it at zero, with an optimizer state of zero; at its end the event lets all
    weights compete by score. After the last event the masks stay.

    Interpretation, after AC/DC (Peste et al., NeurIPS 2021): phases in the event's rhythm instead of whole epochs, and
    sparsity that may grow from event to event.
    """

    def __init__(self, settings: AlternatingSettings) -> None:
        self._fraction = settings.dense_fraction

    def before_step(self, network: nn.Module, window: EventWindow) -> None:
        """Lift the masks when the dense phase begins."""
        if window.since is None or window.until is None:
            return
        if window.since > 0 and window.until <= round(self._fraction * (window.since + window.until)):
            for module in mask_modules(network).values():
                module.mask.fill_(value=True)
