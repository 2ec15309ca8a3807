"""What a network computes outside of its integer layers: the operations that stay on the host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from disparsity.base.errors import InputError
from disparsity.base.layers import QUANTIZABLE
from disparsity.base.module_hooks import module_hooks
from disparsity.quant.integer.convolution import IntegerConvolution

_BOOKKEEPING = ("detach", "alias", "_unsafe_view", "empty", "empty_like", "split", "lift_fresh", "clone", "_to_copy")


class HostOperations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts operations by module while it is active; refuses convolutions and linear layers in float.

    Attributes:
        counts: how often, by (name of the module, operator).

    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts: Counter[tuple[str, str]] = Counter()
        self._open: list[tuple[str, nn.Module]] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Compiler frames inside of operations do not matter here, and the compiler is slow to import."""
        return False

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """Hooks on every module, and this mode active, while the context lasts."""
        with module_hooks(network, self._enter, self._leave), self:
            yield

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation, and note it where no integer layer does it."""
        del types
        operator = func._schema.name.split("::")[-1].rstrip("_")
        if not any(isinstance(module, IntegerConvolution) for _, module in self._open):
            self._note(operator, is_view=func.is_view)
        return func(*args, **(kwargs or {}))

    def _note(self, operator: str, *, is_view: bool) -> None:
        name, module = self._open[-1] if self._open else ("", None)
        kinds = [kind.__name__ for kind in QUANTIZABLE if isinstance(module, kind)]
        if kinds or "convolution" in operator:
            raise InputError(
                "the target has integer layers only",
                where=name or "the network itself",
                found=f"{(kinds or [operator])[0]} in float",
                remedy="quantize weights and input of this layer",
            )
        if not (is_view or operator in _BOOKKEEPING):
            self.counts[name, operator] += 1

    def _enter(self, name: str) -> Any:
        return lambda module, _: self._open.append((name, module))

    def _leave(self, module: nn.Module, inputs: Any, output: Any) -> None:
        del module, inputs, output
        self._open.pop()
