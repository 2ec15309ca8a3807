"""Settings classes: strict types, every mistake in one line, choices among methods."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from disparsity.base.choice import Choice
from disparsity.base.errors import InputError
from disparsity.base.settings import FractionBelowOne, NonNegative, settings
from disparsity.base.settings_errors import Mistake


@settings
class Plain:
    name: Literal["plain"] = "plain"


@settings
class Decaying:
    name: Literal["decaying"] = "decaying"
    decay: FractionBelowOne = 0.5


@settings
class Ratio:
    name: str = "1:2"

    @classmethod
    def takes(cls, name: str) -> bool:
        return ":" in name


@settings
class Inner:
    steps: int
    rate: FractionBelowOne = 0.1

    def __post_init__(self) -> None:
        if self.rate == 0.25:
            raise Mistake("unlucky", key="rate", found=self.rate, expected="another")


@settings
class Outer:
    count: int = 3
    mode: Annotated[Plain | Decaying, Choice("plain")] = Plain()
    ratio: Annotated[Plain | Ratio, Choice("plain", Ratio)] = Plain()
    inner: Inner | None = None
    weights: tuple[NonNegative, ...] = ()
    word: Literal["first", "second"] = "first"
    number: Annotated[float, Field(gt=0, le=9)] = 1.0


def message(**values: Any) -> str:
    with pytest.raises(InputError) as caught:
        Outer(**values)
    assert "\n" not in str(caught.value)
    assert "(" not in str(caught.value).replace("(null)", "")  # no repr of an object
    return str(caught.value)


def test_a_string_and_a_table_select_a_method() -> None:
    assert Outer(mode="decaying").mode == Decaying()  # type: ignore[arg-type]
    assert Outer(mode={"name": "decaying", "decay": 0.25}).mode == Decaying(decay=0.25)  # type: ignore[arg-type]
    assert Outer(mode=Decaying(decay=0.25)).mode == Decaying(decay=0.25)
    assert Outer(ratio="3:4").ratio == Ratio(name="3:4")  # type: ignore[arg-type]
    assert Outer(mode={}).mode == Plain()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"count": "3"}, "count: wrong type; found '3'; expected int"),
        ({"count": True}, "count: wrong type; found True; expected int"),
        ({"number": True}, "number: wrong type; found True; expected float"),
        ({"number": 10**400}, "number: not a finite number; found 10000000000000000000"),
        ({"number": float("nan")}, "number: not a finite number; found nan"),
        ({"number": 10}, "number: out of range; found 10; expected above 0, at most 9"),
        ({"word": "frst"}, "word: unknown name 'frst'; expected first, second; did you mean 'first'?"),
        ({"wird": "first"}, "unknown key 'wird'; expected count, mode, ratio, inner, weights, word, number; did you"),
        ({"weights": 1.0}, "weights: not a list; found 1.0"),
        ({"weights": (1.0, -1)}, "weights: out of range; found -1; expected 0 or more"),
        ({"inner": 3}, "inner: not a table; found 3"),
        ({"inner": {"rate": 0.5}}, "inner: missing key 'steps'"),
        ({"inner": {"steps": 1, "rate": 0.25}}, "inner.rate: unlucky; found 0.25; expected another"),
        ({"mode": "decayin"}, "mode: unknown name 'decayin'; expected plain, decaying; did you mean 'decaying'?"),
        ({"mode": 3}, "mode: neither a name nor a table; found 3"),
        ({"mode": {"name": 3}}, "mode: unknown name 3; expected plain, decaying"),
        ({"mode": {"decay": 0.5}}, "mode: plain does not read the key 'decay'; expected no key beside name; read by"),
        ({"mode": {"name": "decaying", "dekay": 0.5}}, "mode: decaying does not read the key 'dekay'; expected decay"),
        ({"mode": {"name": "decaying", "decay": 1}}, "mode.decay: out of range; found 1; expected 0 or more, below 1"),
        ({"ratio": "3-4"}, "ratio: unknown name '3-4'; expected plain, 1:2"),
    ],
)
def test_mistakes_are_worded(values: dict[str, Any], expected: str) -> None:
    assert message(**values).startswith(expected)


def test_all_mistakes_are_named_at_once() -> None:
    assert message(count=1.5, mode="x", inner={"steps": "1"}, number=0).count(" | ") == 3


def test_settings_are_frozen_and_can_be_replaced() -> None:
    outer = dataclasses.replace(Outer(number=2), count=4)
    assert (outer.number, outer.count) == (2.0, 4)
    assert isinstance(outer.number, float)
    assert outer == Outer(number=2.0, count=4)
    assert hash(outer) == hash(Outer(number=2.0, count=4))
    with pytest.raises(dataclasses.FrozenInstanceError):
        outer.count = 5  # type: ignore[misc]
    with pytest.raises(InputError, match="count: wrong type"):
        dataclasses.replace(outer, count="5")  # type: ignore[arg-type]
