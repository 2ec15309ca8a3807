"""Nodes that are united when channels turn out to belong together: a disjoint-set forest."""

from __future__ import annotations

from collections.abc import Sequence

FIXED = 0
"""The node of everything that must be kept."""


class Nodes:
    """Numbered nodes; `FIXED` is there from the start, and what is united with it is fixed too."""

    def __init__(self) -> None:
        self._parents = [FIXED]

    def fresh(self, count: int) -> tuple[int, ...]:
        """New nodes, each by itself."""
        first = len(self._parents)
        self._parents += range(first, first + count)
        return tuple(self._parents[first:])

    def root(self, node: int) -> int:
        """The node that stands for all that are united with this one: the smallest of them."""
        while self._parents[node] != node:
            self._parents[node] = self._parents[self._parents[node]]
            node = self._parents[node]
        return node

    def unite(self, first: Sequence[int], second: Sequence[int]) -> None:
        """Node i of the one with node i of the other.

        Raises:
            ValueError: they are not equally many.

        """
        for one, other in zip(first, second, strict=True):
            low, high = sorted((self.root(one), self.root(other)))
            self._parents[high] = low

    def fix(self, nodes: Sequence[int]) -> bool:
        """Keep all of these; true if one of them was free before."""
        free = [node for node in nodes if self.root(node) != FIXED]
        self.unite(free, [FIXED] * len(free))
        return bool(free)

    def join(self, nodes: Sequence[int]) -> None:
        """Unite all of these."""
        self.unite(nodes[1:], nodes[:-1])
