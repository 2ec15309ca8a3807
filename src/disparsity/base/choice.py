"""Choice of a method: a union of settings classes, of which the key `name` selects one."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from disparsity.base.settings_errors import Mistake


@dataclass(frozen=True)
class Choice:
    """Metadata that makes a union of settings classes a choice among methods.

    A table selects a method by its key `name`; without one it is about the default method. A plain string stands for a
    table with only the name.

    Attributes:
        default: name of the method that a table without a name is about.
        pattern: the class whose name may be any string that its `takes` accepts, such as "N:M"; or None.

    """

    default: str
    pattern: type[Any] | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """How pydantic checks a value of the union `source`."""
        kinds = {kind.name: handler.generate_schema(kind) for kind in members(source)}
        union = core_schema.tagged_union_schema(kinds, self._tag)
        return core_schema.no_info_before_validator_function(self.as_table, union)

    def as_table(self, value: Any) -> Any:
        """A value with its name spelled out; settings objects stay as they are."""
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, Mapping):
            return {"name": self.default, **value}
        if dataclasses.is_dataclass(value):
            return value
        raise Mistake("neither a name nor a table", found=value)

    def _tag(self, value: Any) -> Any:
        """The key of the class in charge of a value."""
        name = value.get("name") if isinstance(value, Mapping) else value.name
        owned = self.pattern is not None and isinstance(name, str) and self.pattern.takes(name)
        return self.pattern.name if self.pattern is not None and owned else name


def members(union: Any) -> tuple[type[Any], ...]:
    """The classes of a union, or the one class that stands for itself."""
    return typing.get_args(union) if isinstance(union, types.UnionType) else (union,)


def names_of(union: Any, **flags: object) -> list[str]:
    """The names of the methods of an annotated union whose settings classes have these class attributes."""
    kinds = members(union.__origin__)
    return [kind.name for kind in kinds if all(getattr(kind, key) == value for key, value in flags.items())]
