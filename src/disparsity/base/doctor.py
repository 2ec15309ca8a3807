"""Diagnosis of a machine: versions, devices, links of the checkout, data, free disk space."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import torch

from disparsity import __version__

FOLDERS = ("datasets", "finetune", "hwcost", "pruning", "quant", "recipes", "stereo")
"""What the import package links to in a checkout, and holds as copies when it is installed from a wheel."""
DATA_VARIABLE = "DISPARSITY_DATA"
_LEAST_FREE_BYTES = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: of the thing.
        found: what was found, as text.
        remedy: what to do about it; None when it is in order.

    """

    name: str
    found: str
    remedy: str | None = None


def examine(package: Path | None = None, data: Path | None = None) -> list[Finding]:
    """Look at everything; nothing is changed.

    Args:
        package: folder of the import package; the running one when None.
        data: folder with real pairs; that of `DISPARSITY_DATA` when None.

    """
    variable = os.environ.get(DATA_VARIABLE)
    folder = data or (Path(variable) if variable else None)
    return [
        Finding(name="disparsity", found=f"{__version__} on Python {platform.python_version()}, {platform.platform()}"),
        *_packages(),
        *_devices(),
        *_folders(package or Path(__file__).parents[1]),
        _data(folder),
        _room(Path.cwd()),
    ]


def _packages() -> Iterator[Finding]:
    for requirement in requires("disparsity") or []:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        optional = re.search(r"extra == .(\w+).", requirement)
        try:
            yield Finding(name=name, found=version(name))
        except PackageNotFoundError:
            if optional is None:
                yield Finding(name=name, found="not installed", remedy=f"pip install '{requirement}'")


def _devices() -> Iterator[Finding]:
    cores, threads = os.cpu_count() or 1, torch.get_num_threads()
    bfloat16 = "computes in bfloat16" if torch.cpu._is_avx512_bf16_supported() else "emulates bfloat16"
    yield Finding(name="processor", found=f"{cores} cores, {threads} threads used, {bfloat16}")
    count = torch.cuda.device_count()
    names = ", ".join(torch.cuda.get_device_name(index) for index in range(count))
    yield Finding(name="GPU", found=names or "none that torch can use")


def _folders(package: Path) -> Iterator[Finding]:
    """A checkout without symbolic links holds small text files where the folders should be."""
    broken = [name for name in FOLDERS if not (package / name).is_dir()]
    linked = any((package / name).is_symlink() for name in FOLDERS)
    if broken:
        remedy = "clone again with 'git clone -c core.symlinks=true'"
        yield Finding(name="folders", found=f"no folder: {', '.join(broken)}", remedy=remedy)
    else:
        yield Finding(name="folders", found="linked to the checkout" if linked else "installed copies")


def _data(folder: Path | None) -> Finding:
    if folder is None:
        return Finding(name="real data", found=f"{DATA_VARIABLE} is not set; synthetic scenes need none")
    if not folder.is_dir():
        remedy = f"set {DATA_VARIABLE} to a folder, or unset it"
        return Finding(name="real data", found=f"no folder {folder}", remedy=remedy)
    held = sorted(path.name for path in (folder / "data", folder / "weights") if path.is_dir())
    return Finding(name="real data", found=f"{folder} with {', '.join(held) or 'neither data/ nor weights/'}")


def _room(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    writable = os.access(folder, os.W_OK)
    found = f"{free / 1e9:.1f} GB free in {folder}{'' if writable else ', not writable'}"
    remedy = None if writable and free >= _LEAST_FREE_BYTES else "work in a folder with room that you may write to"
    return Finding(name="disk", found=found, remedy=remedy)
