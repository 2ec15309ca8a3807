"""State tables: the table of tensors in the content of a published file, with names that fit the network."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.base.notices import notice

TABLES = ("model_state_dict", "state_dict", "model_state", "model", "net", "network", "params", "weights")
"""Names under which training scripts store the weights, beside optimizer, epoch and others."""
PREFIXES = ("module.", "model.", "net.", "network.", "_orig_mod.")
"""Put before every name by DataParallel, Lightning, wrappers and torch.compile."""
_LISTED = 5


def find_table(content: Any, where: Path) -> dict[str, Tensor]:
    """The table of tensors in what a file holds: the content itself, or an entry of it, or an entry of that.

    Raises:
        InputError: there is none; the entries of the file are named.

    """
    found = content
    for _ in range(2):
        if _is_table(found) or not isinstance(found, Mapping):
            break
        found = next((found[key] for key in TABLES if isinstance(found.get(key), Mapping)), found)
    if not _is_table(found):
        raise InputError(
            "no table of tensors in this file",
            where=where,
            found=_described(found),
            expected=f"names and tensors, as model.state_dict() gives them, alone or as {' or '.join(TABLES)}",
        )
    return dict(found)


def _is_table(content: Any) -> bool:
    return (
        isinstance(content, Mapping)
        and bool(content)
        and all(isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items())
    )


def _described(content: Any) -> str:
    if not isinstance(content, Mapping):
        return type(content).__name__
    names = [f"{name} ({type(value).__name__})" for name, value in list(content.items())[:_LISTED]]
    return f"{', '.join(names) or 'nothing'}{', ...' if len(content) > _LISTED else ''}"


def fit_names(table: Mapping[str, Tensor], expected: Collection[str], where: Path) -> dict[str, Tensor]:
    """The table with the prefixes removed that its names have in front of the network's; a notice says which.

    Args:
        table: as found in the file.
        expected: names of the network's tensors.
        where: the file, for the notice.

    Returns:
        the table with names of the network as far as prefixes explain the difference; entries outside of the prefix
        (of a loss, a teacher) are left out.

    """
    best, removed = _without_prefixes(dict(table), frozenset(expected))
    if removed:
        left_out = len(table) - len(best)
        others = f"; {left_out} tensors with other names are left out" if left_out else ""
        notice(f"{where}: names are read without '{removed}'{others}")
    return best


def _without_prefixes(table: dict[str, Tensor], expected: frozenset[str]) -> tuple[dict[str, Tensor], str]:
    """The best fitting table over chains of prefixes, and the chain; the fewest prefixes win a tie."""
    best, removed, waiting = table, "", [(table, "")]
    while waiting:
        names, chain = waiting.pop(0)
        if _fit(names, expected) > _fit(best, expected):
            best, removed = names, chain
        for prefix in PREFIXES:
            inner = {name.removeprefix(prefix): value for name, value in names.items() if name.startswith(prefix)}
            if inner:
                waiting.append((inner, chain + prefix))
    return best, removed


def _fit(names: Collection[str], expected: frozenset[str]) -> int:
    return len(expected.intersection(names))
