"""Row 9: pickles that run code when they are loaded: under every name and at every door, nothing runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from campaign.children import ended, start

from disparsity.cli import main

FORBIDDEN = ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.mkdir")


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = str(canary)

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, (self.canary,)


def zipped(path: Path, canary: Path) -> None:
    torch.save({"state_dict": {"weight": torch.zeros(1), "deep": [Payload(canary)]}}, path)


def legacy(path: Path, canary: Path) -> None:
    torch.save(Payload(canary), path, _use_new_zipfile_serialization=False)


COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "published": lambda path: ["evaluate", str(path), "--network", "reference", "--data", "synthetic:?pairs=1"],
    "ours": lambda path: ["evaluate", str(path), "--data", "synthetic:?pairs=1"],
    "packed network": lambda path: ["import", str(path), "--out", str(path.parent / "out")],
    "packed data": lambda path: ["data", "verify", f"packed:{path}"],
    "recipe": lambda path: ["run", str(path), "--out", str(path.parent / "out")],
}


@pytest.mark.parametrize("write", [zipped, legacy])
@pytest.mark.parametrize(
    ("door", "name"),
    [
        ("published", "a.pt"),
        ("published", "a.tar"),
        ("published", "a.safetensors"),
        ("ours", "a.json"),
        ("packed network", "a.h5"),
        ("packed data", "a.h5"),
        ("recipe", "a.toml"),
    ],
)
def test_nothing_runs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], write: Callable[[Path, Path], None], door: str, name: str
) -> None:
    path, canary = tmp_path / name, tmp_path / "canary"
    write(path, canary)

    def watched() -> None:
        seen = []
        sys.addaudithook(lambda event, _arguments: seen.append(event) if event in FORBIDDEN else None)
        code = main(COMMANDS[door](path))
        os._exit(code if not seen else 90)

    assert ended(start(watched)) in (2, 3)
    assert not canary.exists()
    assert capfd.readouterr().err.startswith(f"disparsity: {path}")


def test_the_payload_is_a_real_one(tmp_path: Path) -> None:
    zipped(tmp_path / "a.pt", tmp_path / "canary")
    torch.load(tmp_path / "a.pt", weights_only=False)  # noqa: TID251 - what must never happen
    assert (tmp_path / "canary").is_dir()
