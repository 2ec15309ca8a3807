"""Trace of a forward pass: what ran, in order, without the values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

Stack = tuple[str, ...]
"""Names of the modules that are running, the outermost (the network itself, "") first."""


@dataclass(frozen=True, slots=True)
class TracedTensor:
    """One tensor, known by identity: a view has a number of its own and the storage of its base.

    Attributes:
        number: of the tensor; no two tensors of a trace share one.
        storage: index in `Trace.storages`.
        shape: in elements.
        dtype: of an element.
        offset: elements of the storage in front of its first one.

    """

    number: int
    storage: int
    shape: tuple[int, ...]
    dtype: torch.dtype
    offset: int = 0

    def dim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def numel(self) -> int:
        """Number of elements."""
        return torch.Size(self.shape).numel()


@dataclass(frozen=True, slots=True)
class Storage:
    """The memory of one or more tensors.

    Attributes:
        nbytes: its size.
        freed: the index of the event after which nothing referred to it any more; None lasts to the end.

    """

    nbytes: int
    freed: int | None


@dataclass(frozen=True, slots=True)
class ModuleStart:
    """A module begins its forward pass; the last name of `stack` is its own."""

    stack: Stack
    inputs: tuple[TracedTensor, ...]


@dataclass(frozen=True, slots=True)
class ModuleEnd:
    """A module ends its forward pass."""

    stack: Stack
    inputs: tuple[TracedTensor, ...]
    outputs: tuple[TracedTensor, ...]


@dataclass(frozen=True)
class Operation:
    """One call of a torch operator.

    Attributes:
        function: the operator.
        stack: the modules that it is called in.
        args: its arguments, with a `TracedTensor` for every tensor.
        kwargs: its keyword arguments, likewise.
        output: its result, likewise.

    """

    function: Any
    stack: Stack
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    output: Any

    @property
    def name(self) -> str:
        """``aten::add_.Tensor`` is ``add_``."""
        name: str = self.function._schema.name
        return name.rsplit("::", maxsplit=1)[-1]

    @property
    def operator(self) -> str:
        """The name without the underscore of an in-place form."""
        return self.name[:-1] if self.name.endswith("_") and not self.name.endswith("__") else self.name

    @property
    def is_view(self) -> bool:
        """Whether no element is read or written."""
        return bool(self.function.is_view)

    @cached_property
    def read(self) -> tuple[TracedTensor, ...]:
        """Every tensor among the arguments."""
        return tuple(tensors((self.args, self.kwargs)))

    @cached_property
    def made(self) -> tuple[TracedTensor, ...]:
        """Every tensor of the result; of an in-place operation the one that was changed."""
        return tuple(tensors(self.output))


Event = Operation | ModuleStart | ModuleEnd


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One forward pass.

    Attributes:
        events: operations, and beginnings and ends of modules, in order.
        storages: by number.
        constants: parameters and buffers by name; a shared one has several.
        outputs: every tensor that the network returned.
        computed: whether the network ran on real values, because it looks at them.

    """

    events: tuple[Event, ...]
    storages: tuple[Storage, ...]
    constants: Mapping[str, TracedTensor]
    outputs: tuple[TracedTensor, ...]
    computed: bool


def tensors(values: Any) -> Iterator[TracedTensor]:
    """All tensors in nested sequences and mappings."""
    if isinstance(values, TracedTensor):
        yield values
    elif isinstance(values, Mapping):
        yield from tensors(list(values.values()))
    elif isinstance(values, list | tuple):
        for value in values:
            yield from tensors(value)
