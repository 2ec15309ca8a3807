"""Groups of channels that must stay equally large, as group-wise correlation demands."""

from __future__ import annotations

from collections.abc import Sequence

from disparsity.stereo.channels.nodes import FIXED, Nodes

Family = tuple[tuple[int, ...], ...]


def balanced_families(families: Sequence[Family], nodes: Nodes) -> list[Family]:
    """The families whose groups can each lose any of their channels, as long as all lose equally many.

    That is so where groups are made of free units, each once, and no unit is in two different groups. In every other
    family channel k of one group is united with channel k of all others, which keeps them equal as well.

    Args:
        families: groups of nodes, equally long within a family.
        nodes: united where that is needed.

    Returns:
        families of more than one group, as roots; each once.

    """
    waiting: list[Family] = [family for family in dict.fromkeys(families) if len(family) > 1]
    while (irregular := _irregular(waiting, nodes)) is not None:
        waiting.remove(irregular)
        for place in zip(*irregular, strict=True):
            nodes.join(place)
    return list(dict.fromkeys(_roots(family, nodes) for family in waiting))


def _irregular(families: Sequence[Family], nodes: Nodes) -> Family | None:
    """A family that has a fixed or repeated unit, or one that is in another kind of group already."""
    seen: dict[int, tuple[frozenset[int], frozenset[frozenset[int]]]] = {}
    for family in families:
        groups = frozenset(frozenset(group) for group in _roots(family, nodes))
        for group in _roots(family, nodes):
            place = frozenset(group), groups
            if FIXED in group or len(place[0]) < len(group) or any(seen.setdefault(n, place) != place for n in group):
                return family
    return None


def _roots(family: Family, nodes: Nodes) -> Family:
    groups = (tuple(sorted(nodes.root(node) for node in group)) for group in family)
    return tuple(sorted(set(groups)))
