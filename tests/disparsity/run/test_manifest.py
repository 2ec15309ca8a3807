"""manifest.json against the run that it describes."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from disparsity import __version__
from disparsity.datasets.uri import open_data
from disparsity.run.folder import stored_recipe
from disparsity.run.manifest import write_manifest

ROOT = Path(__file__).resolve().parents[3]


def manifest(run: Path) -> dict:
    return json.loads((run / "manifest.json").read_text())


def test_every_artefact_and_nothing_else_is_listed(finished: Path) -> None:
    listed = manifest(finished)["artefacts"]
    files = [path for path in finished.rglob("*") if path.is_file() and path.name not in ("manifest.json", ".lock")]
    assert listed == {str(p.relative_to(finished)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    assert {"recipe.toml", "compressed.h5", "report/report.json", "stages/01-prune/checkpoint.json"} <= set(listed)


def test_versions_seed_and_commit(finished: Path) -> None:
    content = manifest(finished)
    assert (content["schema"], content["version"], content["seed"]) == ("disparsity.run.manifest", 1, 0)
    assert content["versions"]["disparsity"] == __version__
    assert content["versions"]["torch"] == torch.__version__
    assert content["versions"]["numpy"] == np.__version__
    if (ROOT / ".git").exists():
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
        assert len(content["commit"]) == len(head.stdout.strip())


def test_every_data_set_has_its_fingerprint(finished: Path, tmp_path: Path) -> None:
    recipe = stored_recipe(finished)
    other = "synthetic:?pairs=1&size=32x64&seed=3"
    write_manifest(tmp_path, replace(recipe, data=replace(recipe.data, calibration=(other,))))
    stored = manifest(tmp_path)["data"]
    assert list(stored) == [*recipe.data.train, other, *recipe.data.test]
    assert all(stored[uri] == open_data(uri).fingerprint() for uri in stored)
    assert len(set(stored.values())) == 3
