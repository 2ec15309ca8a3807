"""The cases of the grid: a default, variants that change one slot of it, and two controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from disparsity.finetune.reconstruction.least_squares import ReconstructSettings
from disparsity.finetune.settings import TrainSettings
from disparsity.recipe.recipe import DataSection, NetworkSection, PruneSection, Recipe

TEST = "synthetic:?pairs=60&size=96x192&seed=1000&max_disparity=48"
TRAIN = "synthetic:?pairs=1000&size=96x192&seed=1&max_disparity=48"
CROP, BATCH = "64x128", 4
PRUNE_STEPS, TUNE_STEPS, CONTROL_STEPS = 100, 140, 1500
RATE = 2e-3
SCREEN = (0.97, 0.99)
TWICE = ("default", "score", "schedule", "training")
SPARSITIES = (0.90, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995)
SEEDS = (0, 1, 2)
SIDE_BY_SIDE = (0.97, 0.985)
CONTROL = "dense_equal_bytes"
CONTROLLED_FROM = 0.97

Change = Mapping[str, Mapping[str, Any]]
"""New values by section of the default: `prune`, `train` (during the events), `tune` (after them), `both` of these."""

DISTILLED = {"both": {"teacher_weight": 1.0}}

GROUPS: dict[str, dict[str, Change]] = {
    "default": {"default": {}},
    "score": {
        **{name: {"prune": {"score": name}} for name in ("magnitude", "random", "snip", "synflow", "fisher_obs")},
        "taylor_pass": {"prune": {"score": "taylor_pass"}},
        "taylor mean_abs": {"prune": {"taylor_form": "mean_abs"}},
        "taylor abs_mean": {"prune": {"taylor_form": "abs_mean"}},
        "obs": {"prune": {"score": "obs"}},
    },
    "mode": {name: {"prune": {"mode": name}} for name in ("regrow", "reconstruct", "alternating", "soft", "rigl")},
    "normalisation": {
        "layer_l2": {"prune": {"normalisation": "layer_l2"}},
        "per MAC, power 0.5": {"prune": {"mac_power": 0.5}},
        "per MAC, power 1": {"prune": {"mac_power": 1.0}},
    },
    "scope": {
        "per_layer": {"prune": {"scope": "per_layer"}},
        "global without a floor": {"prune": {"floor_share": 0.0}},
        "global, floor 1 %": {"prune": {"floor_share": 0.01}},
        "erk": {"prune": {"scope": "erk"}},
        "mac_weighted": {"prune": {"scope": "mac_weighted"}},
    },
    "schedule": {
        "one_shot": {"prune": {"schedule": "one_shot", "events": 1, "first_sparsity": 0.0}},
        "cubic": {"prune": {"schedule": "cubic", "first_sparsity": 0.0}},
        "log_density from dense": {"prune": {"first_sparsity": 0.0}},
        "cyclic, regrow": {"prune": {"schedule": "cyclic", "mode": "regrow", "events": 12, "exchange": 0.2}},
        "3 events": {"prune": {"events": 3}},
        "24 events": {"prune": {"events": 24}},
        "50 events": {"prune": {"events": 50}},
        "100 events": {"prune": {"events": 100}},
        "24 events, 160 steps before the last": {
            "prune": {"events": 24},
            "train": {"steps": 160},
            "tune": {"steps": 80},
        },
        "24 events, 50 steps before the last": {
            "prune": {"events": 24},
            "train": {"steps": 50},
            "tune": {"steps": 190},
        },
    },
    "teacher": {
        "dense, with labels": DISTILLED,
        "dense, all maps": {"both": {"teacher_weight": 1.0, "teacher_maps": "all"}},
        "in_network": {"both": {"teacher_weight": 1.0, "teacher": "in_network"}},
    },
    "labels": {
        "none, dense teacher": {"both": {"truth_weight": 0.0, "teacher_weight": 1.0}},
        "none, photometric": {"both": {"truth_weight": 0.0, "photometric_weight": 1.0}},
    },
    "training": {
        "rate 1e-3": {"both": {"learning_rate": 1e-3}},
        "rate 4e-3": {"both": {"learning_rate": 4e-3}},
        "rate 8e-3": {"both": {"learning_rate": 8e-3}},
    },
}
"""Every variant differs from the default in one slot; `training` changes the rate of both phases."""


FINALISTS: dict[str, tuple[Change, tuple[float, ...]]] = {
    "default": ({}, SPARSITIES),
    "magnitude": ({"prune": {"score": "magnitude"}}, SPARSITIES),
    "regrow": ({"prune": {"mode": "regrow"}}, SIDE_BY_SIDE),
    "reconstruct": ({"prune": {"mode": "reconstruct"}}, SIDE_BY_SIDE),
}
"""Each with its change and the sparsities at which it is run."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One run of the grid."""

    group: str
    variant: str
    sparsity: float
    seed: int
    change: Change = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """The run's folder and result file."""
        variant = "".join(letter if letter.isalnum() else "_" for letter in self.variant)
        return f"{self.group}-{variant}-{self.sparsity:g}-{self.seed}"


def screening() -> Iterator[Case]:
    """Every variant with one seed, the groups of `TWICE` at both sparsities."""
    for sparsity in SCREEN:
        for group, variants in GROUPS.items():
            if sparsity == SCREEN[0] or group in TWICE:
                for variant, change in variants.items():
                    yield Case(group=group, variant=variant, sparsity=sparsity, seed=0, change=change)


def finals() -> Iterator[Case]:
    """The finalists with three seeds, and the control that the default's packed bytes allow; `SIDE_BY_SIDE` first."""
    others = [sparsity for sparsity in SPARSITIES if sparsity not in SIDE_BY_SIDE]
    for sparsities in (SIDE_BY_SIDE, others):
        for seed, sparsity in product(SEEDS, sparsities):
            for variant, (change, where) in FINALISTS.items():
                if sparsity in where:
                    yield Case(group="final", variant=variant, sparsity=sparsity, seed=seed, change=change)
            if sparsity >= CONTROLLED_FROM:
                yield Case(group="final", variant=CONTROL, sparsity=sparsity, seed=seed)


def recipe_of(case: Case) -> Recipe:
    """The recipe of a case: the default with the case's changes."""
    train = TrainSettings(steps=PRUNE_STEPS, learning_rate=RATE, rate="constant", warmup=5)
    tune = TrainSettings(steps=TUNE_STEPS, learning_rate=RATE, warmup=5)
    both = case.change.get("both", {})
    prune = PruneSection(
        sparsity=case.sparsity,
        events=8,
        first_sparsity=0.5,
        train=replace(train, **both, **case.change.get("train", {})),
        reconstruct=ReconstructSettings(pairs=8, positions=6000),
    )
    return Recipe(
        seed=case.seed,
        threads=1,
        network=NetworkSection(name="reference", checkpoint="builtin:reference"),
        data=DataSection(train=(TRAIN,), test=(TEST,), batch=BATCH, crop=CROP, calibration_crop="96x192"),
        prune=replace(prune, **case.change.get("prune", {})),
        finetune=replace(tune, **both, **case.change.get("tune", {})),
    )
