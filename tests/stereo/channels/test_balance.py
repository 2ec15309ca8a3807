"""Which groups may be pruned by rank, and which place by place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from disparsity.stereo.channels.balance import balanced_families
from disparsity.stereo.channels.nodes import FIXED, Nodes


def nodes_of(count: int) -> Nodes:
    nodes = Nodes()
    nodes.fresh(count)
    return nodes


def test_free_groups_stay_free() -> None:
    nodes = nodes_of(6)
    assert balanced_families([((1, 2, 3), (4, 5, 6))], nodes) == [((1, 2, 3), (4, 5, 6))]
    assert len({nodes.root(node) for node in range(1, 7)}) == 6


def test_groups_of_the_same_units_count_once() -> None:
    nodes = nodes_of(6)
    nodes.unite([4, 5, 6], [1, 2, 3])
    assert balanced_families([((1, 2, 3), (4, 5, 6))], nodes) == [((1, 2, 3),)]


def test_one_group_is_no_family() -> None:
    assert balanced_families([((1, 2, 3),)], nodes_of(3)) == []


def test_groups_that_overlap_are_tied_place_by_place() -> None:
    nodes = nodes_of(6)
    nodes.unite([3], [4])
    assert balanced_families([((1, 2, 3), (4, 5, 6))], nodes) == []
    assert [nodes.root(node) for node in (1, 2, 3, 4, 5, 6)] == [1, 2, 1, 1, 2, 1]


def test_a_fixed_channel_fixes_its_place() -> None:
    nodes = nodes_of(4)
    nodes.fix([4])
    assert balanced_families([((1, 2), (3, 4))], nodes) == []
    assert [nodes.root(node) for node in (1, 2, 3, 4)] == [1, FIXED, 1, FIXED]


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8)), max_size=6), st.sampled_from([1, 2, 4]))
def test_units_can_always_be_removed_with_equal_groups(pairs: list[tuple[int, int]], size: int) -> None:
    nodes = nodes_of(8)
    for one, other in pairs:
        nodes.unite([one], [other])
    family = tuple(tuple(range(start, start + size)) for start in range(1, 9, size))
    free = balanced_families([family], nodes)
    units = {nodes.root(node) for node in range(1, 9)}
    ranked = [set(rank) for item in free for rank in zip(*item, strict=True)]
    tied = set().union(*ranked)
    for together in [*ranked, *({unit} for unit in units - tied)]:
        lost = {sum(nodes.root(node) in together for node in group) for group in family}
        assert len(lost) == 1
