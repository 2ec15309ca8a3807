"""Settings classes: frozen dataclasses whose fields are checked by pydantic."""

from __future__ import annotations

import dataclasses
import functools
import typing
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass
from pydantic_core import CoreSchema

from disparsity.base.settings_errors import refusal

Kind = TypeVar("Kind")

Fraction = Annotated[float, Field(ge=0, le=1)]
FractionBelowOne = Annotated[float, Field(ge=0, lt=1)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
PositiveCount = Annotated[int, Field(ge=1)]


@typing.dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field, Field))
def settings(kind: type[Kind]) -> type[Kind]:
    """Make a class one of settings: frozen, keyword arguments only, all wrong fields named in one `InputError`.

    Types are strict (an int may stand for a float), unknown fields are refused, numbers are finite. A rule about
    several fields stands in `__post_init__` and raises a `Mistake`.
    """
    kind.__get_pydantic_core_schema__ = classmethod(_tables_allowed)  # type: ignore[attr-defined]
    config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    made: Any = checked_dataclass(config=config, frozen=True, kw_only=True)(kind)
    construct = made.__init__

    @functools.wraps(construct)
    def checked(self: object, **values: Any) -> None:
        try:
            construct(self, **values)
        except ValidationError as error:
            raise refusal(error, made) from None

    made.__init__ = checked
    return made


def _tables_allowed(_kind: type[Any], source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    """A class of settings may be given as a table, however strict its fields are."""
    schema: Any = handler(source)
    schema["strict"] = False
    return schema
