"""Cases of gpu.py: tasks of networks at crops, with one setting changed at a time."""

from __future__ import annotations

from collections.abc import Iterator

from harness.rows import Case

GPU = (
    ("reference", (256, 512), 16),
    ("stereonet_8x", (256, 512), 8),
    ("psmnet_hourglass", (256, 512), 4),
    ("gwcnet_gc", (256, 512), 4),
    ("psmnet_hourglass", (544, 960), 2),
)
CPU = (("reference", (64, 128), 4), ("psmnet_basic", (64, 128), 2))
TINY = (("reference", (32, 64), 2),)
Networks = tuple[tuple[str, tuple[int, int], int], ...]

BFLOAT16 = {"precision": "bfloat16"}
QUANTIZERS = ("ternary", "power_of_two", "additive_power_of_two")
SPARSITIES = (0.5, 0.8, 0.9, 0.97)


def cases(device: str, networks: Networks, *, emulated: bool = False) -> Iterator[Case]:
    """All measurements of these networks, crops and batches.

    Args:
        device: `cuda`, `cpu`, ...
        networks: preset, crop and batch.
        emulated: the processor emulates bfloat16, which takes ten times longer: once is enough.

    """
    seen = False
    for name, size, batch in networks:
        place = {"device": device, "network": name, "size": list(size), "batch": batch}
        for task, settings in _variants(batch, sparse=device == "cpu"):
            skipped = emulated and seen and "precision" in settings
            seen = seen or "precision" in settings
            if not skipped:
                yield {**place, "task": task, **settings}


def _variants(batch: int, *, sparse: bool) -> Iterator[tuple[str, Case]]:
    """Tasks with their settings, the base of every task first."""
    yield from (("train", settings) for settings in (
        {}, BFLOAT16, {"channels_last": False}, {"recompute_3d": True}, {"accumulate": batch},
        {**BFLOAT16, "recompute_3d": True}))  # fmt: skip
    for task in ("score", "quantized"):
        yield task, {}
        yield task, BFLOAT16
    yield from (("quantized", {"quantizer": name}) for name in QUANTIZERS)
    yield "reconstruct", {}
    yield from (("masked", {"sparsity": sparsity}) for sparsity in SPARSITIES)
    if sparse:
        yield from (("masked", {"sparsity": sparsity, "sparse": True}) for sparsity in SPARSITIES)


def setting_of(case: Case) -> str:
    """What is unlike the base of the task, in words."""
    known = ("device", "network", "size", "batch", "task")
    return ", ".join(f"{key} {value}" for key, value in case.items() if key not in known) or "base"


def base_of(case: Case) -> Case:
    """The plain training step that a case is compared with; a task of another kind is compared with its own base."""
    task = "train" if case["task"] in ("masked", "quantized") else case["task"]
    return {key: case[key] for key in ("device", "network", "size", "batch")} | {"task": task}
