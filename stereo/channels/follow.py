"""What a rule is: how channels go through a tensor operation. None guesses.

A rule may be used where a channel that is exactly zero in the input is exactly zero in the output, and where the
operation works all the same, on the channels that are left, when that channel is not there. An operation without a
rule, or with arguments for which its rule does not hold, raises `NotFollowedError`, and its channels are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from disparsity.stereo.channels.nodes import Nodes


class NotFollowedError(Exception):
    """The channels cannot be followed through an operation."""


@dataclass(frozen=True)
class Channels:
    """The axis of a tensor that counts channels, and a node for each of them."""

    axis: int
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """One call of an operation: what it was given, what it returned, and the channels of its tensors so far."""

    nodes: Nodes
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Any
    channels: Callable[[Any], Channels | None]

    @property
    def first(self) -> Channels:
        """The channels of the first argument, which must have some."""
        return self.needed(self.args[0])

    def needed(self, value: Any) -> Channels:
        """The channels of a tensor that must have some."""
        found = self.channels(value)
        return found if found is not None else refuse()

    def argument(self, position: int, name: str, default: Any) -> Any:
        """An argument that may be given by position or by name."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name, default)


Rule = Callable[[Call], Channels | None]


def refuse() -> Any:
    """No rule holds here."""
    raise NotFollowedError


def require(holds: bool) -> None:
    """A condition of a rule."""
    if not holds:
        raise NotFollowedError
