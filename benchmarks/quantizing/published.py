"""The two published checkpoints on real pairs, rounded with nothing trained."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from disparsity.recipe.recipe import DataSection, NetworkSection, Recipe, changed
from quantizing.cases import RECIPES, Case

WIDTHS = ((8, 8), (4, 8), (8, 16), (4, 16))
"""Bits of weights and inputs; 16 shows which of them the loss is due to."""
REFINED = "A8, nearest, refinement in 16 bits"
SOLVER = ("quantize.reconstruct.pairs=4", "quantize.reconstruct.positions=8000")


def published() -> Iterator[Case]:
    """Float, rounding to nearest at every width, and by reconstruction; nothing without `DISPARSITY_DATA`."""
    if "DISPARSITY_DATA" not in os.environ:
        return
    networks = _networks(Path(os.environ["DISPARSITY_DATA"]))
    for name, recipe in networks.items():
        yield Case(group="published", start=name, variant="float", bits=32, recipe=recipe)
        for rounding, widths in (("nearest", WIDTHS), ("reconstruct", WIDTHS[:2])):
            for weights, inputs in widths:
                bits = (f"quantize.weight_bits={weights}", f"quantize.activation_bits={inputs}")
                if inputs > 8:
                    bits += ("quantize.first_bits=16", "quantize.last_bits=16")
                yield _rounded(
                    name, recipe, f"A{inputs}, {rounding}", weights, (*bits, f"quantize.rounding={rounding}")
                )
    wide = ("quantize.weight_bits=8", 'quantize.layer_bits=["refine.*=16/16"]', "quantize.rounding=nearest")
    yield _rounded("stereonet", networks["stereonet"], REFINED, 8, wide)


def _rounded(name: str, recipe: Recipe, variant: str, bits: int, changes: tuple[str, ...]) -> Case:
    altered = changed(recipe, [*changes, *SOLVER])
    return Case(group="published", start=name, variant=variant, bits=bits, recipe=altered)


def _networks(shared: Path) -> dict[str, Recipe]:
    things = f"sceneflow:{shared / 'data/flyingthings3d'}?pass=clean&subset="
    kitti = f"kitti2015:{shared / 'data/kitti2015'}?ground_truth=noc&split={RECIPES / 'splits/anynet_kitti2015'}"
    return {
        "stereonet": _recipe(
            "stereonet", shared / "weights/stereonet/train_save_sceneflow.tar", f"{things}train", f"{things}test"
        ),
        "anynet": _recipe(
            "anynet", shared / "weights/anynet/kitti2015_ck.tar", f"{kitti}_train.txt", f"{kitti}_test.txt"
        ),
    }


def _recipe(name: str, weights: Path, train: str, test: str) -> Recipe:
    data = DataSection(
        train=(train,), test=(test,), batch=2, crop="256x512", calibration_crop="256x512", mask_disparity=192.0
    )
    return Recipe(threads=1, network=NetworkSection(name=name, checkpoint=str(weights)), data=data)
