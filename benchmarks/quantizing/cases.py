"""The cases of the grid: quantizers by bits, before and after training, orders, and the published methods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from screening.cases import Case as StageOne
from screening.cases import recipe_of

from disparsity.recipe.recipe import DataSection, NetworkSection, Recipe, changed, load_recipe

RECIPES = Path(__file__).parents[2] / "recipes"
TEST = "synthetic:?pairs=30&size=96x192&seed=1000&max_disparity=48"
SPARSITY = 0.95
BITS = (8, 6, 4, 3, 2)
WIDTHS = {
    "lsq": BITS,
    "additive_power_of_two": BITS,
    "scale_clip": BITS,
    "power_of_two": (4, 3, 2),
    "ternary": (2,),
    "uniform": (4,),
}
"""`uniform` starts on the grids of `lsq`, so that before training one width shows that they agree."""
TUNED = (("lsq", 4), ("lsq", 3), ("ternary", 2), ("scale_clip", 3), ("power_of_two", 4))
FROM_NEAREST = (("lsq", 4), ("ternary", 2))
TUNE = ("steps=400", "learning_rate=1e-3", "warmup=10")
DRIFT = ("steps=60", "learning_rate=1e-3", "warmup=3")
SIGNS, GENTLE, WIDE = "ternary, signs of the mask's survivors", "lsq, rate 2e-4", "lsq, nearest, A16"
SEEDS = (0, 1, 2)
FINALISTS = ("float", "lsq", "ternary, rounded to nearest")
"""Tuned variants with every seed, at the bits of the expectations."""
SOLVER = ("quantize.reconstruct.pairs=4", "quantize.reconstruct.positions=4000")
SMALL = ("data.calibration_crop=48x96", "quantize.reconstruct.pairs=2")
WEIGHTS_ALONE = tuple(f"quantize.{kind}_bits=32" for kind in ("activation", "wide", "first", "last"))
TRANSFORM_WIDTHS = (6, 5, 4, 3, 2)
TEACHERS = ("dense", "in_network")
ORDERS = ("prune_quantize", "quantize_prune", "alternating", "simultaneous")
SHORT = ("prune.train.steps=80", "prune.score_batches=2", "data.crop=64x128", f'data.test=["{TEST}"]')
MOSTLY_FLOAT = "prune_quantize, mostly in float"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One run: what happens to which network.

    Attributes:
        start: `dense`, `pruned` (the reference after stage one), or a published checkpoint.
        variant: tells it from the others of its group.
        bits: of the weights; 32 is float.
        recipe: its stages are run, if it has any.

    """

    group: str
    start: str
    variant: str
    bits: int
    recipe: Recipe

    @property
    def name(self) -> str:
        """The run's folder and result file."""
        variant = "".join(letter if letter.isalnum() else "_" for letter in self.variant)
        return f"{self.group}-{self.start}-{variant}-{self.bits}-{self.recipe.seed}"


def stage_one() -> Recipe:
    """What makes the pruned network: the default of stage one."""
    return recipe_of(StageOne(group="final", variant="default", sparsity=SPARSITY, seed=0))


def base() -> Recipe:
    """Network and data of every case on synthetic scenes."""
    train, crop = stage_one().data.train, stage_one().data.crop
    data = DataSection(train=train, test=(TEST,), batch=4, crop=crop, calibration_crop="96x192")
    return Recipe(threads=1, network=NetworkSection(name="reference", checkpoint="builtin:reference"), data=data)


def quantized(quantizer: str, bits: int, *more: str) -> Recipe:
    """The base with a quantizer, and further changes."""
    return changed(base(), [f"quantize.quantizer={quantizer}", f"quantize.weight_bits={bits}", *SOLVER, *more])


def in_float() -> Iterator[Case]:
    """What every loss is relative to."""
    for start in ("dense", "pruned"):
        yield Case(group="float", start=start, variant="float", bits=32, recipe=base())


def post_training(rounding: str) -> Iterator[Case]:
    """Every quantizer and width, rounded with nothing trained; inputs at 8 bits."""
    for start, (quantizer, widths) in product(("pruned", "dense"), WIDTHS.items()):
        for bits in widths:
            recipe = quantized(quantizer, bits, f"quantize.rounding={rounding}")
            variant = f"{quantizer}, {rounding}"
            yield Case(group="post_training", start=start, variant=variant, bits=bits, recipe=recipe)


def wide_inputs() -> Iterator[Case]:
    """Rounded to nearest with all inputs at 16 bits: whether weights or inputs cost more."""
    wide = tuple(f"quantize.{kind}_bits=16" for kind in ("activation", "first", "last"))
    for start, bits in product(("dense", "pruned"), (8, 4)):
        recipe = quantized("lsq", bits, "quantize.rounding=nearest", *wide)
        yield Case(group="inputs", start=start, variant=WIDE, bits=bits, recipe=recipe)


def ternaries() -> Iterator[Case]:
    """Ternary weights by scale (of least squares, or keeping norms) and threshold (zeros beyond the mask's)."""
    for scale, threshold in product(("initialisation", "norm"), (0.0, 0.7)):
        choice = (f"quantize.ternary_scale={scale}", f"quantize.ternary_threshold={threshold}")
        recipe = quantized("ternary", 2, "quantize.rounding=nearest", *choice)
        name = f"threshold {threshold:g}" + (", norms kept" if scale == "norm" else "")
        yield Case(group="ternary", start="pruned", variant=name, bits=2, recipe=recipe)


def tuned() -> Iterator[Case]:
    """Quantization-aware training of the pruned network, and as many steps in float."""
    steps = [f"finetune.{setting}" for setting in TUNE]
    yield Case(group="tuned", start="pruned", variant="float", bits=32, recipe=changed(base(), steps))
    for quantizer, bits in TUNED:
        recipe = quantized(quantizer, bits, *_tune("finetune_quantized"))
        yield Case(group="tuned", start="pruned", variant=quantizer, bits=bits, recipe=recipe)
    rounded = ("quantize.rounding=nearest",)
    nearest = [(f"{name}, rounded to nearest", name, bits, rounded) for name, bits in FROM_NEAREST]
    for variant, quantizer, bits, change in (
        *nearest,
        (SIGNS, "ternary", 2, ("quantize.ternary_scale=norm", "quantize.ternary_threshold=0")),
        (GENTLE, "lsq", 4, ("finetune_quantized.learning_rate=2e-4",)),
    ):
        recipe = quantized(quantizer, bits, *_tune("finetune_quantized"), *change)
        yield Case(group="tuned", start="pruned", variant=variant, bits=bits, recipe=recipe)


def finalists() -> Iterator[Case]:
    """What the expectations are about, with the other seeds: other batches, other calibration pairs."""
    chosen = [case for case in tuned() if case.variant in FINALISTS and case.bits != 3]
    chosen += [case for case in post_training("nearest") if case.variant == "lsq, nearest" and case.bits in (8, 4)]
    for seed, case in product(SEEDS[1:], chosen):
        yield replace(case, recipe=replace(case.recipe, seed=seed))


def teachers() -> Iterator[Case]:
    """PQK: `tuned` lsq with 3 bits, and a teacher."""
    for teacher in TEACHERS:
        taught = ("finetune_quantized.teacher_weight=1.0", f"finetune_quantized.teacher={teacher}")
        recipe = quantized("lsq", 3, *_tune("finetune_quantized"), *taught)
        yield Case(group="teacher", start="pruned", variant=teacher, bits=3, recipe=recipe)


def drift() -> Iterator[Case]:
    """PSGD and GDRQ: float training that prepares for rounding, and the same steps without."""
    for bits in (4, 3):
        grid = (
            "finetune.psgd=1.0",
            "finetune.psgd_target=grid",
            f"finetune.psgd_bits={bits}",
            "finetune.psgd_grid=channel",
        )
        plans = (("plain", "uniform", "max", ()), ("psgd", "uniform", "max", grid))
        for variant, quantizer, start, changes in plans:
            yield _drifted(variant, bits, quantizer, start, changes)
    yield _drifted("reshaped", 3, "scale_clip", "mse", ("finetune.scale_clip=2.0",))
    yield _drifted("plain, mse grid", 3, "uniform", "mse", ())


def transforms() -> Iterator[Case]:
    """Weights alone on grids, and how far the disparity moves: transform quantization against uniform rounding."""
    plain = ("quantize.rounding=nearest", *WEIGHTS_ALONE, *SMALL)
    kinds = (
        ("uniform", "uniform", ()),
        ("transform", "transform", ("quantize.transform_blocks=0",)),
        ("transform, steps by output", "transform", ("quantize.transform_blocks=4",)),
    )
    for variant, quantizer, changes in kinds:
        for bits in TRANSFORM_WIDTHS:
            recipe = quantized(quantizer, bits, *plain, *changes)
            yield Case(group="transform", start="dense", variant=variant, bits=bits, recipe=recipe)


def orders() -> Iterator[Case]:
    """The recipes `joint_*` with half as many steps each, and the stepwise one that trains mostly in float."""
    for order in ORDERS:
        steps = ("finetune_quantized.steps=100",)
        if order == "quantize_prune":
            steps = ("finetune_quantized.steps=30", "finetune.steps=70")
        recipe = load_recipe(RECIPES / f"joint_{order}.toml", [*SHORT, *steps])
        yield Case(group="order", start="dense", variant=order, bits=4, recipe=recipe)
    steps = ("finetune.steps=70", "finetune.learning_rate=1e-3", "finetune_quantized.steps=30")
    recipe = load_recipe(RECIPES / "joint_prune_quantize.toml", [*SHORT, *steps])
    yield Case(group="order", start="dense", variant=MOSTLY_FLOAT, bits=4, recipe=recipe)


def _drifted(variant: str, bits: int, quantizer: str, start: str, changes: tuple[str, ...]) -> Case:
    rounding = ("quantize.rounding=nearest", f"quantize.initialisation={start}")
    recipe = quantized(quantizer, bits, *_tune("finetune", DRIFT), *rounding, *changes)
    return Case(group="drift", start="dense", variant=variant, bits=bits, recipe=recipe)


def _tune(section: str, settings: tuple[str, ...] = TUNE) -> tuple[str, ...]:
    return tuple(f"{section}.{setting}" for setting in settings)
