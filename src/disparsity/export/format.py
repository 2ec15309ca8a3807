"""Export format: the function that writes a network in it, and the options that it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disparsity.base.errors import InputError
from disparsity.cost import check_pixels
from disparsity.registries import ENTRIES, load
from disparsity.stereo.network import StereoNetwork


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format of the registry.

    Attributes:
        write: called with the path, the network and, by keyword, with `size` and `data` where the format takes them.
        sized: it is made for one input size.
        is_folder: it is a folder, not a file.
        takes_data: a pair of a data set is run.
        describe: lines about what was written, for the user; None has nothing to add.

    """

    write: Callable[..., object]
    sized: bool = True
    is_folder: bool = False
    takes_data: bool = False
    describe: Callable[[Path], str] | None = None


def checked_format(name: str, size: tuple[int, int] | None, data: str | None) -> Format:
    """The format of a name, once it is known that it takes these arguments.

    Raises:
        InputError: there is no such format, or a size or data is missing, out of place or too large.

    """
    form: Format = load("formats", name)
    if form.sized != (size is not None):
        found = f"{name}, {'no --size' if size is None else '--size'}"
        unsized = ", ".join(other for other in ENTRIES["formats"] if not load("formats", other).sized)
        raise InputError(
            "the format and --size do not fit", found=found, expected=f"--size HxW with every format but {unsized}"
        )
    if data is not None and not form.takes_data:
        takers = ", ".join(other for other in ENTRIES["formats"] if load("formats", other).takes_data)
        raise InputError(f"only the format {takers} runs a pair", found=f"--data with {name}", remedy="leave it out")
    if size is not None:
        check_pixels(size)
    return form


def write_format(
    form: Format, path: Path, network: StereoNetwork, size: tuple[int, int] | None, data: str | None
) -> None:
    """Write a network in a format that `checked_format` gave for these arguments."""
    more: dict[str, Any] = {"size": size} if form.sized else {}
    form.write(path, network, **more, **({"data": data} if form.takes_data else {}))
