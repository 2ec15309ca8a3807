"""Data URIs: `name:PATH?key=value&...` opens a data set.

The path ends at the first `?`; nothing in it is unquoted. The readers and their options are listed in
`readers/registry.py`. With every reader go `split=FILE`, which selects the samples that the file names, and
`exclude=FILE`, which leaves them out.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from disparsity.base.errors import DataError, InputError
from disparsity.datasets.readers.listing import Listing
from disparsity.datasets.readers.registry import READERS, Option, Reader
from disparsity.datasets.sample import StereoDataset
from disparsity.datasets.split import exclude, remaining, resolve, select
from disparsity.registries import summaries

_FILTERS = ("exclude", "split")


def open_data(uri: str, split: Path | None = None) -> StereoDataset:
    """The data set that `uri` names, or the samples of it that the file `split` names.

    Raises:
        InputError: the scheme, an option or a value is unknown; the message names the nearest valid one. Or there are
            two splits.
        DataError: the folder is missing or not of that layout, the set is empty, or the split does not fit it.

    """
    reader, settings, files = _parse(uri)
    named = files.get("split")
    if named is not None and split is not None:
        raise InputError("two splits of one data set", where=uri, found=f"{named} and {split}")
    dataset = reader.open(settings)
    if "exclude" in files:
        dataset = exclude(dataset, files["exclude"])
    chosen = named or split
    return dataset if chosen is None else select(dataset, chosen)


def list_data(uri: str) -> Listing | None:
    """The pairs that `uri` names, complete or not, without opening the data set; None where it is not made of pairs.

    Raises:
        InputError: as `open_data`.
        DataError: the folder is missing or not of that layout, or the split does not fit it.

    """
    reader, settings, files = _parse(uri)
    if reader.list is None:
        return None
    listing = reader.list(settings)
    for name, choose in (("exclude", remaining), ("split", resolve)):
        if name in files:
            chosen = choose(listing.samples(), files[name])
            listing = replace(listing, pairs=[listing.pairs[index] for index in chosen])
    return listing


def _parse(uri: str) -> tuple[Reader, Any, dict[str, Path]]:
    """The reader that a URI names, the reader's settings, and the files of `_FILTERS`."""
    scheme, colon, rest = uri.partition(":")
    if not colon:
        raise InputError("not a data URI", where=uri, expected="name:PATH?key=value", remedy=f"e.g. {_examples()}")
    reader = READERS.get(scheme)
    if reader is None:
        raise InputError(f"unknown kind of data {scheme!r}", where=uri, remedy=_nearest(scheme, READERS))
    path, _, query = rest.partition("?")
    files = {}
    for name in _FILTERS:
        query, file = _take_file(uri, query, f"{name}=")
        if file is not None:
            files[name] = file
    options = _parse_options(uri, reader, query)
    return reader, reader.settings(**_parse_path(uri, reader, path), **options), files


def _take_file(uri: str, query: str, key: str) -> tuple[str, Path | None]:
    """The query without `key` and its value, and that value as a path."""
    parts = query.split("&")
    files = [part.removeprefix(key) for part in parts if part.startswith(key)]
    if len(files) > 1:
        raise InputError(f"the option '{key[:-1]}' is given twice", where=uri)
    if files and (not files[0] or "\0" in files[0]):
        raise InputError("the path is missing", where=ascii(uri), expected=f"{key}FILE")
    rest = "&".join(part for part in parts if not part.startswith(key))
    return rest, Path(files[0]).expanduser() if files else None


def _parse_path(uri: str, reader: Reader, path: str) -> dict[str, Path]:
    if not reader.needs_path:
        if path:
            raise InputError("this kind of data has no path", where=uri, found=path, expected=_example(uri))
        return {}
    if not path or "\0" in path:
        raise InputError("the path is missing", where=ascii(uri), expected=_example(uri))
    folder = Path(path).expanduser()
    if not reader.path_is_file and not folder.is_dir():
        raise DataError("no such folder", where=folder, remedy=f"{uri} names it")
    return {"path": folder}


def _parse_options(uri: str, reader: Reader, query: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for part in filter(None, query.split("&")):
        key, _, text = part.partition("=")
        option = reader.options.get(key)
        if option is None:
            raise InputError(f"unknown option {key!r}", where=uri, remedy=_nearest(key, [*reader.options, *_FILTERS]))
        if option.fields[0] in settings:
            raise InputError(f"the option {key!r} is given twice", where=uri)
        settings.update(zip(option.fields, _parse_value(uri, key, option, text), strict=True))
    return settings


def _parse_value(uri: str, key: str, option: Option, text: str) -> tuple[Any, ...]:
    if option.choices and text not in option.choices:
        remedy = _nearest(text, option.choices)
        raise InputError(
            f"unknown value of {key}", where=uri, found=repr(text), expected=option.expected, remedy=remedy
        )
    try:
        return option.parse(text)
    except ValueError as error:
        raise InputError(f"wrong value of {key}", where=uri, found=repr(text), expected=option.expected) from error


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names) or 'none'}"


def _example(uri: str) -> str:
    """The example of a URI's own kind."""
    return summaries("data")[uri.partition(":")[0]]


def _examples() -> str:
    return " or ".join(list(summaries("data").values())[:2])
