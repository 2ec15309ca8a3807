"""Settings as TOML tables: read and checked, written in full or only as far as they were chosen, and changed."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from disparsity.base.errors import InputError
from disparsity.base.settings_errors import is_method, refusal

Kind = TypeVar("Kind")


def from_table(kind: type[Kind], table: Mapping[str, Any], where: str) -> Kind:
    """Settings of a class from a table.

    Raises:
        InputError: keys are unknown or missing, or values are of a wrong type or impossible; all of them are named.

    """
    try:
        return TypeAdapter(kind).validate_python(_with_tuples(table))
    except ValidationError as error:
        raise refusal(error, kind, where) from None


def to_table(settings: Any, *, whole: bool) -> dict[str, Any]:
    """Settings as a table that reads back as the same settings; a method without settings is its name.

    Args:
        settings: an object of a settings class.
        whole: every default is written out; else only what differs from the defaults.

    """
    items = {item.name: item for item in dataclasses.fields(settings)}
    values = {name: getattr(settings, name) for name in sorted(items, key=lambda name: name != "name")}
    chosen = {name for name, value in values.items() if whole or name == "name" or value != _default(items[name])}
    return {name: _plain(values[name], whole) for name in values if name in chosen and values[name] is not None}


def apply_change(table: dict[str, Any], change: str) -> None:
    """Apply one `a.b=value` to a recipe's table; the name of a method goes into the method's table.

    Raises:
        InputError: the change is of another form, or a part of its key is no section.

    """
    key, equals, text = change.partition("=")
    if not equals or not key:
        raise InputError("not a change of a setting", where="--set", found=repr(change), expected="a.b=value")
    *path, last = key.strip().split(".")
    for part in path:
        inner = table.setdefault(part, {})
        table[part] = {"name": inner} if isinstance(inner, str) else inner
        table = table[part]
        if not isinstance(table, dict):
            raise InputError(f"'{part}' is not a section", where="--set", found=change)
    value = _toml_value(text.strip())
    if isinstance(value, str) and isinstance(table.get(last), dict):
        table[last]["name"] = value
    else:
        table[last] = value


def _default(item: dataclasses.Field[Any]) -> Any:
    return item.default if item.default_factory is dataclasses.MISSING else item.default_factory()


def _plain(value: Any, whole: bool) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner, whole) for key, inner in value.items()}
    if not dataclasses.is_dataclass(value):
        return value
    table = to_table(value, whole=whole)
    return table["name"] if is_method(type(value)) and len(table) == 1 else table


def _with_tuples(value: Any) -> Any:
    """Lists as the tuples that settings hold."""
    if isinstance(value, Mapping):
        return {key: _with_tuples(inner) for key, inner in value.items()}
    return tuple(map(_with_tuples, value)) if isinstance(value, list) else value


def _toml_value(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return table["value"] if len(table) == 1 else text  # a line break must not smuggle in another key
