"""What is measured: tasks of networks at crops, with one setting changed at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Case:
    """One measurement.

    Attributes:
        task: `train`, `score`, `quantized` (a training step behind quantizers) or `reconstruct`.
        network: preset name.
        size: height and width of the crops.
        batch: pairs.
        precision: `float32` or `bfloat16`.
        channels_last: of the weights in memory.
        recompute_3d: as in the training settings.
        accumulate: as in the training settings.

    """

    task: str
    network: str
    size: tuple[int, int]
    batch: int
    precision: str = "float32"
    channels_last: bool = True
    recompute_3d: bool = False
    accumulate: int = 1

    @property
    def key(self) -> str:
        """What the case is called in stored results."""
        return "-".join(str(value) for value in asdict(self).values())

    @property
    def setting(self) -> str:
        """What is unlike the base, in words."""
        found = [
            "bfloat16" if self.precision == "bfloat16" else "",
            "" if self.channels_last else "channels first",
            "recompute_3d" if self.recompute_3d else "",
            f"accumulate {self.accumulate}" if self.accumulate > 1 else "",
        ]
        return ", ".join(filter(None, found)) or "base"

    @property
    def base(self) -> Case:
        """The same task with no setting changed."""
        plain: dict[str, Any] = {"precision": "float32", "channels_last": True, "recompute_3d": False, "accumulate": 1}
        return replace(self, **plain)


GPU = (
    ("reference", (256, 512), 16),
    ("stereonet_8x", (256, 512), 8),
    ("psmnet_hourglass", (256, 512), 4),
    ("gwcnet_gc", (256, 512), 4),
    ("psmnet_hourglass", (544, 960), 2),
)
CPU = (("reference", (64, 128), 4), ("psmnet_basic", (64, 128), 2))
TINY = (("reference", (32, 64), 2),)


def cases(networks: tuple[tuple[str, tuple[int, int], int], ...]) -> Iterator[Case]:
    """All measurements of these networks, crops and batches."""
    for name, size, batch in networks:
        base = Case(task="train", network=name, size=size, batch=batch)
        yield base
        yield replace(base, precision="bfloat16")
        yield replace(base, channels_last=False)
        yield replace(base, recompute_3d=True)
        yield replace(base, accumulate=batch)
        yield replace(base, precision="bfloat16", recompute_3d=True)
        for task in ("score", "quantized"):
            yield replace(base, task=task)
            yield replace(base, task=task, precision="bfloat16")
        yield replace(base, task="reconstruct")


def without_emulation(found: Iterator[Case]) -> Iterator[Case]:
    """Bfloat16 once, for processors that emulate it: it takes ten times longer and tells nothing more."""
    seen = False
    for case in found:
        if case.precision == "float32" or not seen:
            yield case
        seen = seen or case.precision == "bfloat16"
