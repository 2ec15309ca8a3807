"""`disparsity data`: check a data set, pack it into one file, write scenes to disk."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disparsity.base.atomic_io import write_json
from disparsity.base.errors import InputError
from disparsity.cli.outputs import check_file
from disparsity.registries import ENTRIES, load

if TYPE_CHECKING:
    from disparsity.datasets.verification import Fault

_ANY_FAULTS = 2


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "data",
        help="verify, pack or synthesize data",
        description="verify: list every fault of a data set. pack: write it into one HDF5 file that `packed:FILE.h5` "
        "reads. synthesize: write the samples of a URI in the layout of SceneFlow or KITTI 2015.",
        epilog="example: disparsity data verify kitti2015:DIR --split train.txt --split test.txt\n"
        "example: disparsity data pack sceneflow:DIR --out things.h5\n"
        "example: disparsity data synthesize 'synthetic:?pairs=100&seed=3' --out scenes --layout kitti2015",
    )
    command.add_argument("action", choices=sorted(_ACTIONS))
    command.add_argument("uri", metavar="URI", help="see: disparsity list data")
    command.add_argument("--out", type=Path, metavar="PATH", help="pack: a file; synthesize: a folder yet to be made")
    command.add_argument("--json", type=Path, metavar="FILE", help="verify, pack: write the result as JSON too")
    command.add_argument(
        "--split", type=Path, action="append", metavar="FILE", help="verify: a list of ids; several must not overlap"
    )
    command.add_argument(
        "--max-disparity", type=float, metavar="PX", help="verify: what is possible (default: the image's width)"
    )
    command.add_argument("--layout", choices=list(ENTRIES["layouts"]), help="synthesize (default sceneflow)")
    command.add_argument(
        "--workers", type=int, metavar="N", help="synthesize: processes that draw (default 0, in turn)"
    )
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    check_file(arguments.json)
    action = _ACTIONS[arguments.action]
    for option in ("out", "json", "split", "max_disparity", "layout", "workers"):
        if getattr(arguments, option) is not None and option not in _OPTIONS[arguments.action]:
            raise InputError(f"--{option.replace('_', '-')} has no effect", where=f"data {arguments.action}")
    if "out" in _OPTIONS[arguments.action] and arguments.out is None:
        raise InputError("--out is missing", where=f"data {arguments.action}", expected="--out PATH")
    return action(arguments)


def _verify(arguments: argparse.Namespace) -> int:
    from disparsity.datasets.verification import verification  # noqa: PLC0415 - torch is slow to import

    if arguments.max_disparity is not None and not 0.0 < arguments.max_disparity < float("inf"):
        raise InputError("out of range", where="--max-disparity", found=arguments.max_disparity, expected="above 0")
    samples, found = _faults(arguments)
    faults = []
    for fault in found:
        faults.append(fault)
        print(f"{fault.kind}: {fault.message}")
    if arguments.json:
        write_json(arguments.json, verification(arguments.uri, samples, faults))
    print(f"{samples} samples, {len(faults)} faults")
    return _ANY_FAULTS if faults else 0


def _faults(arguments: argparse.Namespace) -> tuple[int, Iterator[Fault]]:
    from disparsity.datasets.split import samples_of  # noqa: PLC0415 - torch is slow to import
    from disparsity.datasets.uri import list_data, open_data  # noqa: PLC0415
    from disparsity.datasets.verification import verify_dataset, verify_listing, verify_lists  # noqa: PLC0415

    listing = list_data(arguments.uri)
    if listing is not None:
        samples, faults = listing.samples(), verify_listing(listing, arguments.max_disparity)
    else:
        dataset = open_data(arguments.uri)
        samples, faults = samples_of(dataset), verify_dataset(dataset, arguments.max_disparity)
    return len(samples.ids), itertools.chain(verify_lists(samples, arguments.split or ()), faults)


def _pack(arguments: argparse.Namespace) -> int:
    from disparsity.datasets.packed.writer import pack  # noqa: PLC0415 - torch and h5py are slow to import
    from disparsity.datasets.uri import open_data  # noqa: PLC0415

    check_file(arguments.out)
    summary = pack(open_data(arguments.uri), arguments.out)
    if arguments.json:
        write_json(arguments.json, {"file": str(arguments.out), **summary})
    codings = ", ".join(f"{count} as {coding}" for coding, count in summary["codings"].items())
    print(f"{arguments.out}\n{summary['samples']} samples, {summary['bytes']} bytes, disparity {codings}")
    return 0


def _synthesize(arguments: argparse.Namespace) -> int:
    from disparsity.datasets.uri import open_data  # noqa: PLC0415 - torch is slow to import

    workers = arguments.workers or 0
    if workers < 0:
        raise InputError("out of range", where="--workers", found=workers, expected="0 or more")
    load("layouts", arguments.layout or "sceneflow")(open_data(arguments.uri), arguments.out, workers=workers)
    print(arguments.out)
    return 0


_ACTIONS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "verify": _verify,
    "pack": _pack,
    "synthesize": _synthesize,
}
_OPTIONS = {
    "verify": ("json", "split", "max_disparity"),
    "pack": ("out", "json"),
    "synthesize": ("out", "layout", "workers"),
}
"""The options that each action takes; another one is refused."""
