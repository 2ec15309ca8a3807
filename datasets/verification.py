"""Verification of a data set: every fault that training would meet, not just the first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from disparsity.base.errors import BitDepthError, DataError, DisparsityError, SizeError, exact
from disparsity.datasets.readers.folder import decode_pair
from disparsity.datasets.readers.listing import Listing, Pair, missing_file
from disparsity.datasets.sample import Sample, StereoDataset
from disparsity.datasets.split import Samples, resolve

SCHEMA, VERSION = "disparsity.verification", 1
KINDS = (
    "no_samples",
    "duplicate_id",
    "missing_file",
    "undecodable",
    "wrong_bit_depth",
    "unequal_sizes",
    "no_ground_truth",
    "disparity_out_of_range",
    "wrong_list",
    "overlapping_lists",
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        kind: one of `KINDS`.
        id: of the sample, or empty when the fault is not one sample's.
        message: what, where, found, expected.

    """

    kind: str
    id: str
    message: str


def verify_listing(listing: Listing, max_disparity: float | None = None) -> Iterator[Fault]:
    """The faults of the pairs on disk, each file decoded.

    Args:
        listing: complete or not.
        max_disparity: largest disparity in pixels that is possible; None takes each image's width.

    """
    if not listing.pairs:
        yield _fault("no_samples", "", DataError("no samples", where=listing.root, expected=listing.expected))
    seen: set[str] = set()
    for pair in sorted(listing.pairs, key=lambda pair: pair.id):
        if pair.id in seen:
            yield _fault("duplicate_id", pair.id, DataError("the id occurs twice", where=pair.left))
        seen.add(pair.id)
        yield from _verify_pair(pair, max_disparity)


def verify_dataset(dataset: StereoDataset, max_disparity: float | None = None) -> Iterator[Fault]:
    """The faults of samples that do not lie in folders; arguments as for `verify_listing`."""
    for index, id in enumerate(dataset.ids()):
        try:
            yield from verify_sample(dataset[index], max_disparity)
        except DisparsityError as error:
            yield _fault("undecodable", id, error)


def verify_sample(sample: Sample, max_disparity: float | None = None) -> Iterator[Fault]:
    """Ground truth that is empty or impossible: beyond the image, a pixel would match nothing that a camera saw."""
    known = sample.disparity[sample.valid]
    limit = float(sample.disparity.shape[1] if max_disparity is None else max_disparity)
    if known.numel() == 0:
        yield _fault("no_ground_truth", sample.id, DataError("no valid pixel", where=sample.id))
    elif float(known.max()) >= limit:
        beyond, found = int((known >= limit).sum()), f"up to {exact(float(known.max()))} px"
        error = DataError(
            f"{beyond} disparities out of range", where=sample.id, found=found, expected=f"< {exact(limit)} px"
        )
        yield _fault("disparity_out_of_range", sample.id, error)


def verify_lists(samples: Samples, lists: Sequence[Path]) -> Iterator[Fault]:
    """Lists of samples (train, test, ...) that name missing samples, or the same sample as another list."""
    chosen: dict[Path, set[str]] = {}
    for path in lists:
        try:
            chosen[path] = {samples.ids[index] for index in resolve(samples, path)}
        except DataError as error:
            yield _fault("wrong_list", "", error)
    for (first, one), (second, other) in itertools.combinations(chosen.items(), 2):
        for id in sorted(one & other):
            yield _fault("overlapping_lists", id, DataError("the sample is in two lists", where=second, found=first))


def verification(uri: str, samples: int, faults: Sequence[Fault]) -> dict[str, Any]:
    """The result as JSON can hold it: `schema`, `version`, `data`, `samples`, `counts` {kind: faults}, `faults`."""
    counts: Mapping[str, int] = {kind: sum(fault.kind == kind for fault in faults) for kind in KINDS}
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "data": printable(uri),
        "samples": samples,
        "counts": {kind: count for kind, count in counts.items() if count},
        "faults": [asdict(fault) for fault in faults],
    }


def printable(text: str) -> str:
    """The text with escapes for what UTF-8 cannot hold, such as bytes of a file name that are none."""
    return text.encode(errors="backslashreplace").decode()


def _verify_pair(pair: Pair, max_disparity: float | None) -> Iterator[Fault]:
    for path in pair.missing:
        yield _fault("missing_file", pair.id, missing_file(pair, path))
    if pair.missing:
        return
    try:
        sample = decode_pair(pair)
        if pair.disparity is not None:
            yield from verify_sample(sample, max_disparity)
    except BitDepthError as error:
        yield _fault("wrong_bit_depth", pair.id, error)
    except SizeError as error:
        yield _fault("unequal_sizes", pair.id, error)
    except DataError as error:
        yield _fault("undecodable", pair.id, error)


def _fault(kind: str, id: str, error: DisparsityError) -> Fault:
    return Fault(kind=kind, id=printable(id), message=printable(str(error)))
