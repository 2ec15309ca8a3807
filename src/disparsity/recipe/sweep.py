"""What a sweep varies and what it weighs against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from disparsity.base.errors import InputError

ERRORS: dict[str, str] = {"epe": "epe_px", "d1": "d1_percent", "bad3": "bad3_percent"}
"""Errors by name, each with its key in a report's accuracy rows."""

COSTS: dict[str, Callable[[Mapping[str, Any]], float]] = {
    "bytes": lambda report: report["memory"]["packed_file_bytes"],
    "bops": lambda report: report["operations"]["bops"]["mac_product"]["compressed"],
    "energy": lambda report: report["hardware"]["mac_energy_pj"]["compressed"],
}
"""Costs by name, each read from a report: bytes of the packed file, bit operations, pJ of all MACs."""

SAMPLERS = ("tpe", "nsga2", "random")

Choice = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones if `whole`, equal ratios alike if `log`."""

    low: float
    high: float
    whole: bool
    log: bool


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One setting that is varied: its key in the recipe, and a range or a list of values."""

    key: str
    values: Range | tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SweepSettings:
    """The recipe's `sweep` section.

    Attributes:
        parameters: what varies, as `key = low..high`, `key = low..high log` or `key = a | b | c`, e.g.
            `prune.sparsity = 0.9..0.99`.
        error: a name in `ERRORS`, of the last stage on the first test data.
        cost: a name in `COSTS`.
        sampler: `tpe` (tree of Parzen estimators), `nsga2` (genetic) or `random`.
        trials: finished runs that the sweep ends with.

    """

    parameters: tuple[str, ...]
    error: str = "epe"
    cost: str = "bytes"
    sampler: str = "tpe"
    trials: int = 20

    def __post_init__(self) -> None:
        """Refuse unknown names and parameters that cannot be read."""
        for kind, name, known in (
            ("error", self.error, tuple(ERRORS)),
            ("cost", self.cost, tuple(COSTS)),
            ("sampler", self.sampler, SAMPLERS),
        ):
            if name not in known:
                raise InputError(f"unknown {kind} '{name}'", where=kind, expected=", ".join(known))
        if self.trials < 1 or not self.parameters:
            raise InputError("nothing to sweep", found=self, expected="trials >= 1 and at least one of parameters")
        keys = [parameter.key for parameter in self.parsed()]
        if len(set(keys)) < len(keys):
            raise InputError("a parameter stands twice", where="parameters", found=", ".join(keys))

    def parsed(self) -> list[Parameter]:
        """`parameters` as data.

        Raises:
            InputError: one of them is of another form.

        """
        return [parse_parameter(text) for text in self.parameters]


def parse_parameter(text: str) -> Parameter:
    """One entry of `parameters`.

    Raises:
        InputError: it is of another form.

    """
    key, equals, values = (part.strip() for part in text.partition("="))
    if not key or not equals or not values:
        raise _unreadable(text)
    if ".." in values:
        return Parameter(key=key, values=_parse_range(values, text))
    choices = tuple(choice.strip() for choice in values.split("|"))
    if len(choices) < 2 or not all(choices):
        raise _unreadable(text)
    return Parameter(key=key, values=choices)


def _parse_range(values: str, text: str) -> Range:
    bounds, _, scale = values.partition(" ")
    low, _, high = bounds.partition("..")
    try:
        numbers = float(low), float(high)
    except ValueError:
        raise _unreadable(text) from None
    whole = all(part.lstrip("-").isdecimal() for part in (low, high))
    log = scale.strip() == "log"
    if scale.strip() not in ("", "log") or not numbers[0] < numbers[1] or (log and numbers[0] <= 0):
        raise _unreadable(text)
    return Range(low=numbers[0], high=numbers[1], whole=whole, log=log)


def _unreadable(text: str) -> InputError:
    expected = "KEY = LOW..HIGH, KEY = LOW..HIGH log with LOW > 0, or KEY = A | B"
    return InputError("not a parameter of a sweep", where="sweep.parameters", found=repr(text), expected=expected)
