"""Mistakes in settings, worded: the key, what is wrong, what was found, what is expected, the nearest valid key."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from disparsity.base.errors import InputError

_MOST_MISTAKES = 20
_LONGEST = 60
"""Characters of a value that a message repeats."""

_TYPES = {int: "int", float: "float", str: "str", bool: "bool"}
_NOT_A_TABLE = {"dataclass_type", "dataclass_exact_type"}
_RANGE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}


class Mistake(ValueError):  # noqa: N818 - a mistake of the user's, one of several in an InputError
    """What is wrong about several settings together; pydantic collects it with all other mistakes.

    Args:
        what: is wrong.
        key: of the setting to change, from the section in which the rule stands; empty is the section itself.
        found: its value.
        expected: in words.
        remedy: what to do.

    """

    def __init__(
        self, what: str, *, key: str = "", found: object = None, expected: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(what)
        self.what, self.key, self.found, self.expected, self.remedy = what, key, found, expected, remedy


def refusal(error: ValidationError, kind: type[Any], where: str = "") -> InputError:
    """All mistakes that pydantic has found, in one line.

    Args:
        error: of the validation.
        kind: the settings class that was to be made.
        where: a file, in front of every key.

    """
    return joined(_worded(dict(item), kind, where) for item in error.errors(include_url=False))


def joined(mistakes: Iterable[InputError]) -> InputError:
    """Several mistakes as one, in one line."""
    found = list(mistakes)
    return found[0] if len(found) == 1 else InputError(" | ".join(str(one) for one in found[:_MOST_MISTAKES]))


def fields_of(kind: type[Any]) -> dict[str, Any]:
    """The keys of a settings class with their annotations; the name that selects a method is not among them."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {
        item.name: hints[item.name] for item in dataclasses.fields(kind) if item.name != "name" or not is_method(kind)
    }


def kinds_of(annotation: Any) -> dict[str, type[Any]]:
    """The settings classes that a value of this type may be, by method name; a plain section's under an empty name."""
    plain = _plain(annotation)
    found = [kind for kind in (typing.get_args(plain) or (plain,)) if dataclasses.is_dataclass(kind)]
    return {getattr(kind, "name", "") if is_method(kind) else "": kind for kind in found if isinstance(kind, type)}


def nearest(name: str, known: Iterable[str]) -> str | None:
    """A remedy that names the most similar word, if one is similar."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    return f"did you mean '{near[0]}'?" if near else None


def shown(value: object) -> str:
    """A value as a message repeats it: short, and tables without their content."""
    if isinstance(value, Mapping) or dataclasses.is_dataclass(value):
        return "a table"
    text = repr(list(value)) if isinstance(value, tuple) else repr(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def expected_range(annotation: Any) -> str:
    """The bounds of a number in words, such as "0 or more, below 1"."""
    bounds = {
        name: bound
        for item in _constraints(annotation)
        for name in ("ge", "gt", "le", "lt")
        if (bound := getattr(item, name, None)) is not None
    }
    if "ge" in bounds and "le" in bounds:
        return f"{bounds['ge']}..{bounds['le']}"
    words = {"ge": "{} or more", "gt": "above {}", "le": "at most {}", "lt": "below {}"}
    return ", ".join(text.format(bounds[name]) for name, text in words.items() if name in bounds)


def type_name(annotation: Any) -> str:
    """A type as a message names it."""
    plain = _plain(annotation)
    if typing.get_origin(plain) is Literal:
        return " or ".join(map(str, typing.get_args(plain)))
    if typing.get_origin(plain) is tuple:
        return f"list of {type_name(typing.get_args(plain)[0])}"
    return _TYPES.get(plain, "table")


def _worded(item: Mapping[str, Any], root: type[Any], where: str) -> InputError:
    spot = _found(root, item["loc"])
    path, value, code = ".".join(spot.keys), item["input"], item["type"]
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, Mistake):
        found = shown(cause.found) if isinstance(cause.found, tuple | Mapping) else cause.found
        place = ".".join(part for part in (path, cause.key) if part)
        return InputError(
            cause.what, where=_place(where, place), found=found, expected=cause.expected, remedy=cause.remedy
        )
    if code in ("missing", "unexpected_keyword_argument"):
        return _about_key(code, spot, where)
    what, found, expected, remedy = _about_value(code, value, spot.annotation)
    return InputError(what, where=_place(where, path), found=found, expected=expected, remedy=remedy)


def _about_value(code: str, value: Any, annotation: Any) -> tuple[str, str | None, str | None, str | None]:
    """What is wrong with a value, what was found, what is expected, and a remedy."""
    if code in ("literal_error", "union_tag_invalid"):
        known = _names(annotation)
        name = value.get("name") if isinstance(value, Mapping) else value
        return f"unknown name {shown(name)}", None, ", ".join(known), nearest(str(name), known)
    if code in _NOT_A_TABLE:
        return "not a table", shown(value), None, None
    if code == "tuple_type":
        return "not a list", shown(value), None, None
    if code in _RANGE:
        return "out of range", shown(value), expected_range(annotation), None
    if code == "finite_number" or (type(value) is int and _plain(annotation) is float):
        return "not a finite number", str(value)[:20], None, None
    return "wrong type", shown(value), type_name(annotation), None


def _about_key(code: str, spot: _Spot, where: str) -> InputError:
    *section, key = spot.keys
    place = _place(where, ".".join(section))
    if code == "missing":
        return InputError(f"missing key '{key}'", where=place)
    known = fields_of(spot.kind)
    expected = ", ".join(known) or "no key beside name"
    if not spot.methods:
        return InputError(f"unknown key '{key[:80]}'", where=place, expected=expected, remedy=nearest(key, known))
    readers = [name for name, kind in spot.methods.items() if key in fields_of(kind)]
    every = [name for kind in spot.methods.values() for name in fields_of(kind)]
    remedy = f"read by {', '.join(readers)}" if readers else nearest(key, every)
    what = f"{getattr(spot.kind, 'name', '')} does not read the key '{key[:80]}'"
    return InputError(what, where=place, expected=expected, remedy=remedy)


@dataclasses.dataclass
class _Spot:
    """Where a mistake is: the keys on the way, the settings class there, the methods it is one of, the type there."""

    keys: list[str]
    kind: type[Any]
    methods: dict[str, type[Any]]
    annotation: Any = Any


def _found(root: type[Any], steps: tuple[Any, ...]) -> _Spot:
    """Follow the steps of pydantic, which names selected methods and places in lists too."""
    spot, options = _Spot([], root, {}), {"": root}
    for step in steps:
        if "" not in options and step in options:
            spot.kind, spot.methods, options = options[step], options, {"": options[step]}
        elif isinstance(step, int):
            spot.annotation = (typing.get_args(_plain(spot.annotation)) or (Any,))[0]
        else:
            spot.methods = spot.methods if options.get("") is spot.kind else {}
            spot.kind = options.get("", spot.kind)
            spot.annotation = fields_of(spot.kind).get(step, Any)
            spot.keys.append(str(step))
            options = kinds_of(spot.annotation)
    return spot


def _names(annotation: Any) -> list[str]:
    plain = _plain(annotation)
    if typing.get_origin(plain) is Literal:
        return [str(name) for name in typing.get_args(plain)]
    return list(kinds_of(annotation))


def _place(where: str, path: str) -> str | None:
    return ": ".join(part for part in (where, path) if part) or None


def is_method(kind: type[Any]) -> bool:
    """Whether a settings class is one of a choice: its name is fixed, or of a form that it knows itself."""
    hint = typing.get_type_hints(kind).get("name") if dataclasses.is_dataclass(kind) else None
    return typing.get_origin(hint) is Literal or hasattr(kind, "takes")


def _plain(annotation: Any) -> Any:
    """A type without its metadata and without None."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _plain(annotation.__origin__)
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        rest = [option for option in typing.get_args(annotation) if option is not types.NoneType]
        return _plain(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _constraints(annotation: Any) -> Collection[Any]:
    """The bounds that a field declares."""
    return FieldInfo.from_annotation(annotation).metadata
