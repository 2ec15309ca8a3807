"""Cases of the grid stage_two.py: quantizers by bits, before and after training, orders, and the published methods."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

from harness.rows import Case

RECIPES = Path(__file__).parents[1] / "recipes"
BASE = Path(__file__).parent / "recipes/stage_two.toml"
SPARSITY = 0.95
"""Of the pruned network: the default of stage one."""
BITS = (8, 6, 4, 3, 2)
WIDTHS = {
    **dict.fromkeys(("lsq", "additive_power_of_two", "scale_clip"), BITS),
    **{"power_of_two": (4, 3, 2), "ternary": (2,), "uniform": (4,)},
}
"""`uniform` starts on the grids of `lsq`, so that before training one width shows that they agree."""
TUNED = (("lsq", 4), ("lsq", 3), ("ternary", 2), ("scale_clip", 3), ("power_of_two", 4))
ORDERS = ("prune_quantize", "quantize_prune", "alternating", "simultaneous")
SEEDS = (0, 1, 2)
REPEATED = {
    *(("post_training", "lsq, nearest", bits) for bits in (8, 4)),
    *(("tuned", "float", 32), ("tuned", "lsq", 4), ("tuned", "ternary, rounded to nearest", 2)),
}
"""What the claims rest on is run with every seed."""
ROUNDINGS = {
    "nearest": "quantize.rounding={name = 'nearest'}",
    "reconstruct": "quantize.rounding={name = 'reconstruct', positions = 4000}",
}
NEAREST = (ROUNDINGS["nearest"],)
SOLVER = ("quantize.calibration_pairs=4", ROUNDINGS["reconstruct"])
ALONE = tuple(f"quantize.{kind}_bits=32" for kind in ("activation", "wide", "first", "last"))
"""Weights alone are rounded."""


class Plan(NamedTuple):
    """What a case does.

    Attributes:
        group: of the grid.
        start: `dense`, `pruned` (the reference after stage one), or a published checkpoint.
        variant: tells it from the others of its group.
        bits: of the weights; 32 is float.
        changes: of the recipe.
        recipe: the file that is changed.

    """

    group: str
    start: str
    variant: str
    bits: int
    changes: tuple[str, ...] = ()
    recipe: Path = BASE

    def case(self, seed: int = 0) -> Case:
        """What identifies it in the results."""
        return dict(zip(self._fields[:4], self[:4], strict=True)) | {"seed": seed}


def plan_of(case: Case) -> Plan:
    """What a case does."""
    return next(plan for plan in plans() if {**plan.case(), "seed": case["seed"]} == case)


def cases() -> Iterator[Case]:
    """Every plan with one seed, then those that the claims rest on with the others."""
    chosen = list(plans())
    yield from (plan.case() for plan in chosen)
    repeated = [plan for plan in chosen if (plan.group, plan.variant, plan.bits) in REPEATED]
    yield from (plan.case(seed) for seed in SEEDS[1:] for plan in repeated)


def plans() -> Iterator[Plan]:
    """Everything that is run, the cheapest first."""
    yield from (Plan("float", start, "float", 32) for start in ("dense", "pruned"))
    yield from _post_training()
    yield from _inputs()
    yield from _ternary()
    yield from _published()
    yield from _transforms()
    yield from _tuned()
    yield from _drift()
    yield from _teachers()
    yield from _orders()


def _quantized(quantizer: str, bits: int, *more: str) -> tuple[str, ...]:
    return (f"quantize.quantizer={quantizer}", f"quantize.weight_bits={bits}", *SOLVER, *more)


def _tune(section: str = "finetune_quantized", steps: int = 400, warmup: int = 10) -> tuple[str, ...]:
    settings = (f"steps={steps}", "learning_rate=1e-3", f"warmup={warmup}")
    return tuple(f"{section}.{setting}" for setting in settings)


def _post_training() -> Iterator[Plan]:
    """Every quantizer and width, rounded with nothing trained; inputs at 8 bits."""
    for rounding, start, (quantizer, widths) in product(
        ("nearest", "reconstruct"), ("pruned", "dense"), WIDTHS.items()
    ):
        for bits in widths:
            changes = _quantized(quantizer, bits, ROUNDINGS[rounding])
            yield Plan("post_training", start, f"{quantizer}, {rounding}", bits, changes)


def _inputs() -> Iterator[Plan]:
    """Rounded to nearest with all inputs at 16 bits: whether weights or inputs cost more."""
    wide = tuple(f"quantize.{kind}_bits=16" for kind in ("activation", "first", "last"))
    for start, bits in product(("dense", "pruned"), (8, 4)):
        yield Plan("inputs", start, "lsq, nearest, A16", bits, _quantized("lsq", bits, *NEAREST, *wide))


def _ternary() -> Iterator[Plan]:
    """Ternary weights by scale (of least squares, or keeping norms) and threshold (zeros beyond the mask's)."""
    for scale, threshold in product(("mse", "norm"), (0.0, 0.7)):
        choice = (f"quantize.quantizer.scale={scale}", f"quantize.quantizer.threshold={threshold}")
        name = f"threshold {threshold:g}" + (", norms kept" if scale == "norm" else "")
        yield Plan("ternary", "pruned", name, 2, _quantized("ternary", 2, *NEAREST, *choice))


def _tuned() -> Iterator[Plan]:
    """Quantization-aware training of the pruned network, and as many steps in float."""
    yield Plan("tuned", "pruned", "float", 32, _tune("finetune"))
    signs = ("quantize.quantizer.scale=norm", "quantize.quantizer.threshold=0")
    variants: list[tuple[str, str, int, tuple[str, ...]]] = [
        (quantizer, quantizer, bits, ()) for quantizer, bits in TUNED
    ]
    variants += [(f"{name}, rounded to nearest", name, bits, NEAREST) for name, bits in (("lsq", 4), ("ternary", 2))]
    variants.append(("ternary, signs of the mask's survivors", "ternary", 2, signs))
    variants.append(("lsq, rate 2e-4", "lsq", 4, ("finetune_quantized.learning_rate=2e-4",)))
    for variant, quantizer, bits, more in variants:
        yield Plan("tuned", "pruned", variant, bits, _quantized(quantizer, bits, *_tune(), *more))


def _teachers() -> Iterator[Plan]:
    """PQK: `tuned` lsq with 3 bits, and a teacher."""
    for teacher in ("dense", "in_network"):
        taught = f"finetune_quantized.teacher={teacher}"
        yield Plan("teacher", "pruned", teacher, 3, _quantized("lsq", 3, *_tune(), taught))


def _drift() -> Iterator[Plan]:
    """PSGD and GDRQ: float training that prepares for rounding, and the same steps without."""

    def drifted(variant: str, bits: int, quantizer: str, start: str, *changes: str) -> Plan:
        steps = () if quantizer == "scale_clip" else (f"quantize.quantizer.initialisation={start}",)
        rounding = (*NEAREST, *steps)
        return Plan("drift", "dense", variant, bits, _quantized(
            quantizer, bits, *_tune("finetune", 60, 3), *rounding, *changes))  # fmt: skip

    for bits in (4, 3):
        grid = ("psgd.strength=1.0", f"psgd.target={{name = 'grid', bits = {bits}, grid = 'channel'}}")
        yield drifted("plain", bits, "uniform", "max")
        yield drifted("psgd", bits, "uniform", "max", *(f"finetune.{setting}" for setting in grid))
    yield drifted("reshaped", 3, "scale_clip", "mse", "finetune.scale_clip.scale=2.0")
    yield drifted("plain, mse grid", 3, "uniform", "mse")


def _transforms() -> Iterator[Plan]:
    """Weights alone on grids, and how far the disparity moves: transform quantization against uniform rounding."""
    small = ("data.calibration_crop=48x96", "quantize.calibration_pairs=2")
    kinds = {"uniform": (), "transform": ("quantize.quantizer.blocks=0",),
             "transform, steps by output": ("quantize.quantizer.blocks=4",)}  # fmt: skip
    for (variant, changes), bits in product(kinds.items(), (6, 5, 4, 3, 2)):
        quantizer = variant.partition(",")[0]
        yield Plan("transform", "dense", variant, bits, _quantized(quantizer, bits, *NEAREST, *ALONE, *small, *changes))


def _orders() -> Iterator[Plan]:
    """The recipes `joint_*` with half as many steps each, and the stepwise one that trains mostly in float."""
    test = 'data.test=["synthetic:?pairs=30&size=96x192&seed=1000&max_disparity=48"]'
    short = ("prune.train.steps=80", "prune.score.batches=2", "data.crop=64x128", test)
    for order in ORDERS:
        steps = ("finetune_quantized.steps=100",)
        if order == "quantize_prune":
            steps = ("finetune_quantized.steps=30", "finetune.steps=70")
        yield Plan("order", "dense", order, 4, (*short, *steps), RECIPES / f"joint_{order}.toml")
    steps = ("finetune.steps=70", "finetune.learning_rate=1e-3", "finetune_quantized.steps=30")
    recipe = RECIPES / "joint_prune_quantize.toml"
    yield Plan("order", "dense", "prune_quantize, mostly in float", 4, (*short, *steps), recipe)


def _published() -> Iterator[Plan]:
    """The published checkpoints on real pairs, rounded with nothing trained; none without `DISPARSITY_DATA`."""
    if "DISPARSITY_DATA" not in os.environ:
        return
    for name, base in _real(Path(os.environ["DISPARSITY_DATA"])).items():
        yield Plan("published", name, "float", 32, base)
        for rounding, (weights, inputs) in product(("nearest", "reconstruct"), ((8, 8), (4, 8), (8, 16), (4, 16))):
            bits = (f"quantize.weight_bits={weights}", f"quantize.activation_bits={inputs}")
            if inputs > 8:
                bits += ("quantize.first_bits=16", "quantize.last_bits=16")
            if inputs == 8 or rounding == "nearest":
                changes = (
                    *base,
                    *bits,
                    "quantize.calibration_pairs=4",
                    ROUNDINGS[rounding].replace("4000", "8000"),
                )
                yield Plan("published", name, f"A{inputs}, {rounding}", weights, changes)
        if name == "stereonet":
            wide = ("quantize.weight_bits=8", 'quantize.layer_bits=["refine.*=16/16"]', *NEAREST)
            yield Plan("published", name, "A8, nearest, refinement in 16 bits", 8, (*base, *wide))


def _real(shared: Path) -> dict[str, tuple[str, ...]]:
    things = f"sceneflow:{shared / 'data/flyingthings3d'}?pass=clean&subset="
    kitti = f"kitti2015:{shared / 'data/kitti2015'}?ground_truth=noc&split={RECIPES / 'splits/anynet_kitti2015'}_"
    sets = {
        "stereonet": ("stereonet/train_save_sceneflow.tar", f"{things}train", f"{things}test"),
        "anynet": ("anynet/kitti2015_ck.tar", f"{kitti}train.txt", f"{kitti}test.txt"),
    }
    crops = ("data.batch=2", "data.crop=256x512", "data.calibration_crop=256x512", "data.mask_disparity=192.0")
    return {
        name: (f"network.name={name}", f"network.checkpoint={shared / 'weights' / weights}",
               f'data.train=["{train}"]', f'data.test=["{test}"]', *crops)
        for name, (weights, train, test) in sets.items()
    }  # fmt: skip
