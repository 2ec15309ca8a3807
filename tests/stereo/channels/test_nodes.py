"""United nodes against partitions that are merged one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disparsity.stereo.channels.nodes import FIXED, Nodes

NODES = 12


@given(st.lists(st.tuples(st.integers(0, NODES), st.integers(0, NODES)), max_size=30))
def test_roots_are_the_smallest_of_their_class(pairs: list[tuple[int, int]]) -> None:
    nodes = Nodes()
    nodes.fresh(NODES)
    classes = [{node} for node in range(NODES + 1)]
    for one, other in pairs:
        nodes.unite([one], [other])
        merged = next(c for c in classes if one in c) | next(c for c in classes if other in c)
        classes = [c for c in classes if not c & merged] + [merged]
    assert {node: nodes.root(node) for c in classes for node in c} == {node: min(c) for c in classes for node in c}


def test_fixing_tells_whether_something_was_free() -> None:
    nodes = Nodes()
    first, second = nodes.fresh(2)
    assert nodes.fix([first])
    assert not nodes.fix([first])
    assert nodes.root(first) == FIXED != nodes.root(second)
    nodes.join([second, first])
    assert nodes.root(second) == FIXED


def test_unequal_numbers_are_not_united() -> None:
    nodes = Nodes()
    with pytest.raises(ValueError, match="argument"):
        nodes.unite(nodes.fresh(2), nodes.fresh(3))
