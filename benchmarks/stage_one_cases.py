"""Cases of the grid stage_one.py: a default, variants that change one slot of it, finalists and a control."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from harness.rows import Case

SCREEN = (0.97, 0.99)
TWICE = ("default", "score", "schedule", "training")
"""Groups that are screened at both sparsities."""
SPARSITIES = (0.90, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995)
SIDE_BY_SIDE = (0.97, 0.985)
SEEDS = (0, 1, 2)
CONTROL, CONTROLLED_FROM = "dense_equal_bytes", 0.97
FINALISTS = {"default": SPARSITIES, "magnitude": SPARSITIES, "regrow": SIDE_BY_SIDE, "reconstruct": SIDE_BY_SIDE}
"""The sparsities at which each is run."""


def _both(*settings: str) -> tuple[str, ...]:
    return tuple(f"{section}.{setting}" for section in ("prune.train", "finetune") for setting in settings)


SCORES = ("magnitude", "random", "snip", "synflow", "fisher_obs", "taylor_pass")
MODES = ("regrow", "alternating", "soft", "rigl")
RECONSTRUCT = ("prune.mode=reconstruct", "prune.mode.pairs=8", "prune.mode.positions=6000")

GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "default": {"default": ()},
    "score": {
        **{name: (f"prune.score={name}",) for name in SCORES},
        "obs": ("prune.score=obs", "prune.score.pairs=8", "prune.score.positions=6000"),
        "taylor mean_abs": ("prune.score.form=mean_abs",),
        "taylor abs_mean": ("prune.score.form=abs_mean",),
    },
    "mode": {
        **{name: (f"prune.mode={name}",) for name in MODES},
        "reconstruct": RECONSTRUCT,
    },
    "normalisation": {
        "layer_l2": ("prune.normalisation=layer_l2",),
        "per MAC, power 0.5": ("prune.mac_power=0.5",),
        "per MAC, power 1": ("prune.mac_power=1.0",),
    },
    "scope": {
        "per_layer": ("prune.scope=per_layer",),
        "global without a floor": ("prune.floor_fraction=0.0",),
        "global, floor 1 %": ("prune.floor_fraction=0.01",),
        "erk": ("prune.scope=erk",),
        "mac_weighted": ("prune.scope=mac_weighted",),
    },
    "schedule": {
        "one_shot": ("prune.schedule={name = 'one_shot'}", "prune.events=1"),
        "cubic": ("prune.schedule={name = 'cubic'}",),
        "log_density from dense": ("prune.schedule.first_sparsity=0.0",),
        "cyclic, regrow": (
            "prune.schedule=cyclic",
            "prune.mode=regrow",
            "prune.events=12",
            "prune.mode.drop_fraction=0.2",
        ),
        **{f"{events} events": (f"prune.events={events}",) for events in (3, 24, 50, 100)},
        **{
            f"24 events, {steps} steps before the last": (
                "prune.events=24",
                f"prune.train.steps={steps}",
                f"finetune.steps={240 - steps}",
            )
            for steps in (160, 50)
        },
    },
    "teacher": {
        "dense, with labels": _both("teacher=dense"),
        "dense, all maps": _both("teacher=dense", "teacher.maps=all"),
        "in_network": _both("teacher=in_network"),
    },
    "labels": {
        "none, dense teacher": _both("supervised_weight=0.0", "teacher=dense"),
        "none, photometric": _both("supervised_weight=0.0", "photometric.weight=1.0"),
    },
    "training": {f"rate {rate}": _both(f"learning_rate={rate}") for rate in ("1e-3", "4e-3", "8e-3")},
}
"""By group and variant, what is unlike the default."""

_ALL = {variant: changes for variants in GROUPS.values() for variant, changes in variants.items()}


def changes_of(case: Case) -> list[str]:
    """The changes of the recipe that a case stands for."""
    fixed = [f"prune.sparsity={case['sparsity']}", f"seed={case['seed']}"]
    return fixed + ([] if case["variant"] == CONTROL else list(_ALL[case["variant"]]))


def cases() -> Iterator[Case]:
    """The screening with one seed; then the finalists with all of them, each followed by its control."""
    for sparsity in SCREEN:
        for group, variants in GROUPS.items():
            if sparsity == SCREEN[0] or group in TWICE:
                for variant in variants:
                    yield _case(group, variant, sparsity, 0)
    for seed, sparsity in product(SEEDS, SPARSITIES):
        for variant in (name for name, where in FINALISTS.items() if sparsity in where):
            yield _case("final", variant, sparsity, seed)
        if sparsity >= CONTROLLED_FROM:
            yield _case("final", CONTROL, sparsity, seed)


def _case(group: str, variant: str, sparsity: float, seed: int) -> Case:
    return {"group": group, "variant": variant, "sparsity": sparsity, "seed": seed}
