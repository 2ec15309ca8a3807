"""Recorder of a trace: hooks on every module and a mode that sees every operator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.weak import TensorWeakRef

from disparsity.base.trace.meta_result import meta_result
from disparsity.base.trace.operation import (
    Event,
    ModuleEnd,
    ModuleStart,
    Operation,
    Stack,
    Storage,
    Trace,
    TracedTensor,
)


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Writes down what runs while it is active.

    It keeps no tensor alive: tensors and storages are held weakly, so that a trace shows when memory is freed.

    Args:
        network: whose parameters and buffers are the trace's constants.

    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._events: list[Event] = []
        self._stack: Stack = ()
        self._tensors: dict[int, tuple[TensorWeakRef, TracedTensor]] = {}
        self._numbers = 0
        self._storages: dict[int, tuple[StorageWeakRef, int]] = {}
        self._permanent: dict[int, tuple[StorageWeakRef, int]] = {}  # of the constants, which are never freed
        self._sizes: list[int] = []
        self._freed: dict[int, int] = {}
        named = [*network.named_parameters(remove_duplicate=False), *network.named_buffers(remove_duplicate=False)]
        self._constants = {name: self._traced(value) for name, value in named}
        self._permanent, self._storages = self._storages, {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Compiler frames inside of operations do not matter here, and the compiler is slow to import."""
        return False

    def trace(self, outputs: Any = None, *, computed: bool = True) -> Trace:
        """What has been recorded so far, of a network that returned `outputs`."""
        return Trace(
            events=tuple(self._events),
            storages=tuple(Storage(size, self._freed.get(number)) for number, size in enumerate(self._sizes)),
            constants=self._constants,
            outputs=self._all(outputs),
            computed=computed,
        )

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and record it."""
        del types
        kwargs = kwargs or {}
        output = meta_result(func, args, kwargs)
        read, named, made = (tree_map_only(Tensor, self._traced, values) for values in (args, kwargs, output))
        self._find_freed(len(self._events))
        self._events.append(Operation(func, self._stack, read, named, made))
        return output

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """Hooks on every module of `network`, and this mode active, while the context lasts."""
        handles = []
        for name, module in network.named_modules():
            handles.append(module.register_forward_pre_hook(self._start(name), with_kwargs=True))
            handles.append(module.register_forward_hook(self._end, with_kwargs=True))
        try:
            with self:
                yield
        finally:
            for handle in handles:
                handle.remove()

    def _start(self, name: str) -> Any:
        def start(module: nn.Module, args: Any, kwargs: Any) -> None:
            del module
            self._stack = (*self._stack, name)
            self._events.append(ModuleStart(self._stack, self._all((args, kwargs))))

        return start

    def _end(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        del module
        self._events.append(ModuleEnd(self._stack, self._all((args, kwargs)), self._all(output)))
        self._stack = self._stack[:-1]

    def _all(self, values: Any) -> tuple[TracedTensor, ...]:
        return tuple(self._traced(value) for value in tree_leaves(values) if isinstance(value, Tensor))

    def _traced(self, value: Tensor) -> TracedTensor:
        known = self._tensors.get(id(value))
        if known is not None and known[0]() is value:  # else the identity was that of a tensor that is gone
            return known[1]
        shape, offset = tuple(value.shape), int(value.storage_offset())
        traced = TracedTensor(self._numbers, self._storage(value), shape, value.dtype, offset)
        self._numbers += 1
        self._tensors[id(value)] = TensorWeakRef(value), traced
        return traced

    def _storage(self, value: Tensor) -> int:
        storage = value.untyped_storage()
        key = storage._cdata
        known = self._permanent.get(key) or self._storages.get(key)
        if known is not None and not known[0].expired():  # type: ignore[no-untyped-call]
            return known[1]
        reference = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
        self._storages[key] = reference, len(self._sizes)
        self._sizes.append(storage.nbytes())
        return len(self._sizes) - 1

    def _find_freed(self, event: int) -> None:
        expired = [key for key, (reference, _) in self._storages.items() if reference.expired()]  # type: ignore[no-untyped-call]
        for key in expired:
            self._freed[self._storages.pop(key)[1]] = event
