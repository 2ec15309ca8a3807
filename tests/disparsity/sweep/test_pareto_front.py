"""The front against its definition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from disparsity.sweep.pareto_front import front

VALUE = st.integers(0, 5).map(float)


@given(st.lists(st.tuples(VALUE, VALUE), max_size=12))
def test_exactly_the_points_that_nothing_beats(points: list[tuple[float, float]]) -> None:
    found = front(points)
    kept = {points[index] for index in found}
    for error, cost in points:
        beaten = any((e <= error and c <= cost) and (e, c) != (error, cost) for e, c in points)
        assert ((error, cost) in kept) == (not beaten)
    assert len(kept) == len(found)
    costs = [points[index][1] for index in found]
    assert costs == sorted(costs)
