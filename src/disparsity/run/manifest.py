"""manifest.json: versions, seed and data of a run, and the SHA-256 of every file that it wrote."""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from disparsity import __version__
from disparsity.base import distributed
from disparsity.base.atomic_io import sha256_of
from disparsity.base.checksummed_json import read_checksummed, write_checksummed
from disparsity.base.devices import choose_device, describe
from disparsity.base.errors import CorruptArtefactError
from disparsity.datasets.uri import open_data
from disparsity.recipe.recipe import Recipe
from disparsity.run.folder import RECIPE_FILE

_PACKAGES = ("torch", "numpy", "opencv-python", "h5py", "safetensors")
_OWN_NAME = "manifest.json"


def write_manifest(run: Path, recipe: Recipe) -> None:
    """Describe a run: versions, seed, threads, processes, device, commit, data by fingerprint, artefacts by hash."""
    uris = dict.fromkeys([*recipe.data.train, *recipe.data.calibration, *recipe.data.test])
    content: dict[str, Any] = {
        "schema": "disparsity.run.manifest",
        "version": 1,
        "versions": {"disparsity": __version__, **{name: _version(name) for name in _PACKAGES}},
        "commit": _commit(),
        "seed": recipe.seed,
        "threads": torch.get_num_threads(),
        "processes": distributed.processes(),
        "device": describe(choose_device(recipe.device)),
        "data": {uri: open_data(uri).fingerprint() for uri in uris},
        "artefacts": {
            str(path.relative_to(run)): sha256_of(path)
            for path in sorted(run.rglob("*"))
            if path.is_file() and path.name != _OWN_NAME and not path.name.startswith(".")
        },
    }
    write_checksummed(run / _OWN_NAME, content)


def check_recipe(run: Path) -> None:
    """Compare the resolved recipe of a finished run with the one that its manifest lists.

    Raises:
        CorruptArtefactError: it is another one, or the manifest is damaged.

    """
    if not (run / _OWN_NAME).is_file():
        return
    listed = read_checksummed(run / _OWN_NAME, "a manifest", "the command run writes it again").get("artefacts", {})
    if RECIPE_FILE in listed and sha256_of(run / RECIPE_FILE) != listed[RECIPE_FILE]:
        remedy = "restore it: the command run compares it with your recipe"
        raise CorruptArtefactError("not the recipe of this run any more", where=run / RECIPE_FILE, remedy=remedy)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the checkout that the code runs from; None for an installed package."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False)  # noqa: S607
    return done.stdout.strip() or None
