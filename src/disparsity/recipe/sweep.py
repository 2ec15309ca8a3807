"""Sweep section of a recipe: the settings that vary, and the error and the cost that are minimised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from disparsity.base.settings import PositiveCount, settings
from disparsity.base.settings_errors import Mistake

ERRORS: dict[str, str] = {"epe": "epe_px", "d1": "d1_percent", "bad3": "bad3_percent"}
"""Errors by name, each with its key in a report's accuracy rows."""

COSTS: dict[str, Callable[[Mapping[str, Any]], float]] = {
    "bytes": lambda report: report["memory"]["packed_file_bytes"],
    "bops": lambda report: report["operations"]["bops"]["mac_product"]["compressed"],
    "energy": lambda report: report["hardware"]["mac_energy_pj"]["compressed"],
}
"""Costs by name, each read from a report: bytes of the packed file, bit operations, pJ of all MACs."""

_SPELLING = """[sweep.parameters."prune.sparsity"] with low = 0.5 and high = 0.95 (log = true), or choices = [A, B]"""


@settings
class Parameter:
    """The values of one setting: a range of numbers, or a list.

    Attributes:
        low: smallest number, included; only whole numbers are tried if `low` and `high` are whole.
        high: largest number, included.
        log: equal ratios instead of equal differences are equally likely.
        choices: two values or more of any kind, instead of a range.

    """

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    choices: tuple[str | int | float | bool, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is neither a range nor a list."""
        if self.choices:
            if len(self.choices) < 2 or self.low is not None or self.high is not None or self.log:
                raise Mistake("choices stand alone, and are two or more", found=self.choices, expected=_SPELLING)
        elif self.low is None or self.high is None or not self.low < self.high:
            raise Mistake("not a range", found=f"{self.low} to {self.high}", expected=_SPELLING)
        elif self.log and self.low <= 0:
            raise Mistake("a logarithmic range starts above 0", key="low", found=self.low)

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are tried."""
        return isinstance(self.low, int) and isinstance(self.high, int)


def _tables(value: Any) -> Any:
    """Refuse parameters as text, as recipes had them before."""
    if isinstance(value, tuple | list):
        raise Mistake("parameters of a sweep are tables", found=value, expected=_SPELLING)
    return value


@settings
class SweepSettings:
    """The recipe's `sweep` section.

    Attributes:
        parameters: what varies, a table per key of the recipe, such as `[sweep.parameters."prune.sparsity"]`.
        error: `epe`, `d1` or `bad3`, of the last stage on the first test data.
        cost: `bytes` of the packed file, `bops`, or `energy` of all MACs.
        sampler: `tpe` (tree of Parzen estimators), `nsga2` (genetic) or `random`.
        trials: finished runs that the sweep ends with.

    """

    parameters: Annotated[dict[str, Parameter], BeforeValidator(_tables), Field(min_length=1)]
    error: Literal["epe", "d1", "bad3"] = "epe"
    cost: Literal["bytes", "bops", "energy"] = "bytes"
    sampler: Literal["tpe", "nsga2", "random"] = "tpe"
    trials: PositiveCount = 20
