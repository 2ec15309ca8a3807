"""Rules for operations that work element by element, or on the axes behind the channels."""

from __future__ import annotations

from typing import Any

from disparsity.base.trace.operation import TracedTensor, tensors
from disparsity.stereo.channels.follow import Call, Channels, Rule, require


def unchanged(call: Call) -> Channels:
    """Element by element, or along the axes behind the channels; nothing else has channels."""
    require(not any(call.channels(value) for value in tensors((call.args[1:], call.kwargs))))
    return call.first


def spatial(axes: int) -> Rule:
    """A rule for operations on the last `axes` axes."""

    def rule(call: Call) -> Channels:
        require(call.first.axis < call.args[0].dim() - axes)
        return unchanged(call)

    return rule


def padded(call: Call) -> Channels:
    """Padding with zeros, or with what is there, beside the channels."""
    require(call.first.axis < call.args[0].dim() - len(call.args[1]) // 2)
    require(call.argument(2, "value", 0) == 0)
    return unchanged(call)


def clamped(low: float | None, high: float | None) -> Rule:
    """A rule for limits by position 1 and 2, with these defaults; zero must stay zero."""

    def rule(call: Call) -> Channels:
        lowest, highest = call.argument(1, "min", low), call.argument(2, "max", high)
        require(not any(isinstance(limit, TracedTensor) for limit in (lowest, highest)))
        require((lowest is None or lowest <= 0) and (highest is None or highest >= 0))
        return unchanged(call)

    return rule


def rectified(call: Call) -> Channels:
    """A rectifier with one learned slope."""
    require(call.args[1].numel() == 1)
    return unchanged(call)


def powered(call: Call) -> Channels:
    """To a positive power."""
    require(isinstance(call.args[1], int | float) and call.args[1] > 0)
    return unchanged(call)


def added(call: Call) -> Channels:
    """Sum or difference of equally many channels: channel i of the one with channel i of the other."""
    one, other = call.first, call.needed(call.args[1])
    behind = call.args[0].dim() - one.axis
    require(call.args[1].dim() - other.axis == behind and len(one.nodes) == len(other.nodes))
    call.nodes.unite(one.nodes, other.nodes)
    return Channels(call.output.dim() - behind, one.nodes)


def multiplied(call: Call) -> Channels:
    """A product: with a number, with something that is the same for all channels, or with equally many channels."""
    left, right = call.args[0], call.args[1]
    one, other = call.channels(left), call.channels(right)
    if one is not None and other is not None and len(one.nodes) == len(other.nodes):
        return added(call)
    first_is_single = one is None or (other is not None and len(one.nodes) == 1)
    return _scaled(call, right, left) if first_is_single else _scaled(call, left, right)


def divided(call: Call) -> Channels:
    """A quotient by a number or by something that is the same for all channels."""
    return _scaled(call, call.args[0], call.args[1])


def _scaled(call: Call, many: Any, single: Any) -> Channels:
    """Channels times a number, or times something with one channel, which is kept."""
    found, one = call.needed(many), call.channels(single)
    behind = many.dim() - found.axis
    if isinstance(single, TracedTensor):
        require(single.dim() < behind or single.shape[-behind] == 1)
    if one is not None:
        call.nodes.fix(one.nodes)
    return Channels(call.output.dim() - behind, found.nodes)
