"""Keys of a recipe: every key with the methods that read it, its type, default and meaning."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from disparsity.base.settings_errors import expected_range, fields_of, is_method, kinds_of, type_name


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of a recipe.

    Attributes:
        path: sections and key, such as "prune.mode.decay".
        methods: the names of the methods that read it; empty where every recipe with the section does.
        type: in words, with the allowed range or names.
        default: as TOML text; "required", or empty where the key is absent by default.
        meaning: the first line of its description.

    """

    path: str
    methods: tuple[str, ...]
    type: str
    default: str
    meaning: str


def list_keys(kind: type[Any], section: str = "") -> list[Key]:
    """Every key of a settings class and of all the settings it may hold, in the order of a written recipe."""
    keys: dict[tuple[str, str, str], Key] = {}
    for key in _keys(kind, section, ()):
        same = (key.path, key.type, key.default)
        known = keys.get(same)
        keys[same] = key if known is None else _read_by_both(known, key)
    return list(keys.values())


def _read_by_both(one: Key, other: Key) -> Key:
    return dataclasses.replace(one, methods=tuple(dict.fromkeys(one.methods + other.methods)))


def _keys(kind: type[Any], section: str, methods: tuple[str, ...]) -> Iterator[Key]:
    items, meanings = {item.name: item for item in dataclasses.fields(kind)}, _meanings(kind)
    for name, annotation in fields_of(kind).items():
        path = f"{section}.{name}" if section else name
        kinds, default = kinds_of(annotation), _default(items[name])
        described = ", ".join(kinds) or " ".join(part for part in (type_name(annotation), _range(annotation)) if part)
        yield Key(path=path, methods=methods, type=described, default=default, meaning=meanings.get(name, ""))
        for method, inner in kinds.items():
            yield from _keys(inner, path, (method,) if method else ())


def _range(annotation: Any) -> str:
    return f"({text})" if (text := expected_range(annotation)) else ""


def _default(item: dataclasses.Field[Any]) -> str:
    if item.default is dataclasses.MISSING:
        return "required"
    value = item.default.name if is_method(type(item.default)) else item.default
    if value is None or dataclasses.is_dataclass(value):
        return ""
    return str(list(value)) if isinstance(value, tuple) else str(value)


def _meanings(kind: type[Any]) -> dict[str, str]:
    """The first sentence about every attribute, from the docstrings of a class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        _, _, text = (base.__doc__ or "").partition("Attributes:\n")
        for name, meaning in re.findall(r"^\s{8}(\w+): ((?:.|\n\s{12})+)", text, re.MULTILINE):
            found[name] = " ".join(meaning.split())
    return found
