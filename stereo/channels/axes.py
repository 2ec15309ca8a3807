"""Rules for operations that join, cut, move or reduce axes.

Views with sizes of their own (`view`, `reshape`, `expand`) have no rule: a size written into the code and one that is
read off the tensor look the same here. Neither have slices along the channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from disparsity.stereo.channels.follow import Call, Channels, Rule, refuse, require
from disparsity.stereo.channels.nodes import FIXED
from disparsity.stereo.channels.pointwise import unchanged


def concatenated(call: Call) -> Channels:
    """Channels one after the other, or whole feature maps beside each other."""
    parts, axis = call.args[0], call.argument(1, "dim", 0) % call.args[0][0].dim()
    found = [call.channels(part) for part in parts]
    known = next(item for item in found if item is not None)
    require(all(item is None or item.axis == known.axis for item in found))
    if axis != known.axis:
        return _beside(call, found)
    sizes = [part.shape[axis] for part in parts]
    return Channels(axis, tuple(n for item, size in zip(found, sizes, strict=True) for n in _or_fixed(item, size)))


def stacked(call: Call) -> Channels:
    """A new axis."""
    before = _beside(call, [call.channels(part) for part in call.args[0]])
    axis = call.argument(1, "dim", 0) % call.output.dim()
    return replace(before, axis=before.axis + (axis <= before.axis))


def _beside(call: Call, found: Sequence[Channels | None]) -> Channels:
    known = [item if item is not None else refuse() for item in found]
    require(len({(item.axis, len(item.nodes)) for item in known}) == 1)
    for item in known[1:]:
        call.nodes.unite(known[0].nodes, item.nodes)
    return known[0]


def _or_fixed(found: Channels | None, size: int) -> Sequence[int]:
    return [FIXED] * size if found is None else found.nodes


def cut(position: int, *, removes: bool = False) -> Rule:
    """A rule for pieces along an axis other than the channels' (argument number `position`); `removes` it."""

    def rule(call: Call) -> Channels:
        axis = call.argument(position, "dim", 0) % call.args[0].dim()
        require(axis != call.first.axis)
        return replace(unchanged(call), axis=call.first.axis - (removes and axis < call.first.axis))

    return rule


def turned(position: int) -> Rule:
    """A rule for flips and rolls along other axes, which are argument number `position`."""

    def rule(call: Call) -> Channels:
        axes = call.argument(position, "dims", [])
        require(bool(axes) and call.first.axis not in {axis % call.args[0].dim() for axis in axes})
        return unchanged(call)

    return rule


def unsqueezed(call: Call) -> Channels:
    """A new axis of size 1."""
    axis = call.args[1] % call.output.dim()
    return replace(call.first, axis=call.first.axis + (axis <= call.first.axis))


def squeezed(call: Call) -> Channels:
    """Named axes of size 1 go, but not the channels', of which there may be one only when others are removed."""
    shape, axis = call.args[0].shape, call.first.axis
    given = call.argument(1, "dim", None)
    require(given is not None)
    axes = {item % len(shape) for item in (given if isinstance(given, list | tuple) else [given])}
    gone = [item for item in axes if shape[item] == 1]
    require(axis not in axes)
    return replace(call.first, axis=axis - sum(item < axis for item in gone))


def permuted(call: Call) -> Channels:
    """Axes in another order."""
    order = [axis % call.args[0].dim() for axis in call.args[1]]
    return replace(call.first, axis=order.index(call.first.axis))


def transposed(call: Call) -> Channels:
    """Two axes change places."""
    size = call.args[0].dim()
    one, other = call.argument(1, "dim0", 0) % size, call.argument(2, "dim1", 1) % size
    return replace(call.first, axis={one: other, other: one}.get(call.first.axis, call.first.axis))


def averaged(call: Call) -> Channels:
    """A mean over other axes."""
    axes, keeps = _reduced(call)
    require(call.first.axis not in axes)
    return replace(call.first, axis=call.first.axis - (0 if keeps else sum(axis < call.first.axis for axis in axes)))


def summed(call: Call) -> Channels | None:
    """A sum; over the channels, what is zero does not count, and there are no channels any more."""
    axes, _ = _reduced(call)
    return None if call.first.axis in axes else averaged(call)


def _reduced(call: Call) -> tuple[set[int], bool]:
    given, size = call.argument(1, "dim", None), call.args[0].dim()
    require(given is not None and not isinstance(given, float))
    axes = given if isinstance(given, list | tuple) else [given]
    return {axis % size for axis in axes} or set(range(size)), bool(call.argument(2, "keepdim", False))
