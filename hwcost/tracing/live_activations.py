"""Peak memory of live activations: what has to be held at the worst moment of one execution.

Every tensor is followed from the operation that makes it to the moment nothing refers to it any more. Weights,
and whatever is computed from them by masks and quantizers, are not activations. Fake quantization is taken as
what it stands for, a change of representation: its output is its input.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.utils import parametrize
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from disparsity.base.dry_run import meta_result, run_without_compute
from disparsity.base.layers import QUANTIZABLE
from disparsity.base.module_hooks import module_hooks
from disparsity.hwcost.tracing.workload import is_hidden
from disparsity.quant.bits import FLOAT_BITS, LayerBits
from disparsity.quant.quantizers.base import ActivationQuantizer


@dataclass(frozen=True, kw_only=True)
class ActivationPeak:
    """The worst moment of an execution.

    Attributes:
        dense_bytes: live bytes at the peak, as executed (float32).
        compressed_bytes: the same maximum with every tensor in the precision of what reads it.
        alive: of the dense peak, ``(module that made it, bytes)``, largest first.

    """

    dense_bytes: int
    compressed_bytes: int
    alive: tuple[tuple[str, int], ...]


def peak_activations(
    network: nn.Module, inputs: tuple[Tensor, ...], bits: Mapping[str, LayerBits] | None = None
) -> ActivationPeak:
    """Run `network` once (without computing, where it allows that) and find the peak.

    A tensor is stored in the widest format that any of its readers needs: a layer reads at its activation
    bits, an operation without bits passes on what its output needs (it is fused into the layer that made its
    input), and what the network returns is float32. Interpretation: an accelerator fuses element-wise
    operations; cost volumes and skips are held once, in the precision of their reader.
    """
    follower = _Follower(bits or {})
    run_without_compute(network, inputs, follower.watching)
    tensors = follower.tensors
    widths = _stored_bits(tensors, follower.moments[-1] if follower.moments else ())
    dense = [sum(tensors[index].bytes for index in moment) for moment in follower.moments]
    narrow = [sum(tensors[index].bytes * widths[index] / FLOAT_BITS for index in moment) for moment in follower.moments]
    if not dense:
        return ActivationPeak(dense_bytes=0, compressed_bytes=0, alive=())
    at_peak = follower.moments[dense.index(max(dense))]
    alive = sorted(((tensors[index].made_by, tensors[index].bytes) for index in at_peak), key=lambda item: -item[1])
    return ActivationPeak(dense_bytes=max(dense), compressed_bytes=round(max(narrow)), alive=tuple(alive))


@dataclass
class _Tensor:
    """One storage: its size, its maker, and which readings decide its precision."""

    made_by: str
    bytes: int
    layer_bits: int = 0
    feeds: set[int] = field(default_factory=set)


def _stored_bits(tensors: list[_Tensor], returned: Collection[int]) -> list[int]:
    """Widest reader of every tensor; readers that are no layers pass on the width of what they make.

    What the network returns is in float, and so is what nobody reads (statistics that a normalization makes), but
    the latter asks nothing of what it was made from. A tensor is made after the tensors it is made from, so
    one pass from the last to the first settles all.
    """
    asked = [0] * len(tensors)
    for index in range(len(tensors) - 1, -1, -1):
        tensor = tensors[index]
        asked[index] = max([tensor.layer_bits, *(asked[reader] for reader in tensor.feeds if reader > index)])
        if not asked[index] and index in returned:
            asked[index] = FLOAT_BITS
    return [bits or FLOAT_BITS for bits in asked]


class _Follower(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every operation, knows which storages are alive after it."""

    def __init__(self, bits: Mapping[str, LayerBits]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bits = bits
        self._reset()

    def _reset(self) -> None:
        self.tensors: list[_Tensor] = []
        self.moments: list[tuple[int, ...]] = []
        self._known: dict[int, int] = {}
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self._ignored: dict[int, StorageWeakRef] = {}
        self._modules: list[tuple[str, nn.Module]] = []
        self._hidden = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Compiler frames inside of operations do not matter here, and the compiler is slow to import."""
        return False

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """Hooks on `network` and this mode active while the context lasts."""
        self._reset()
        for value in (*network.parameters(), *network.buffers()):
            self._ignore(value)
        with module_hooks(network, self._enter, self._leave), self:
            yield

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation, then note what it read, what it made and what is alive."""
        del types
        output = meta_result(func, args, kwargs or {})
        if not self._hidden:
            read = [self._index(value, "input") for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
            maker = self._modules[-1][0] if self._modules else ""
            made = [self._index(value, maker) for value in tree_leaves(output) if isinstance(value, Tensor)]
            self._note([index for index in read if index >= 0], [index for index in made if index >= 0])
        return output

    def _note(self, read: list[int], made: list[int]) -> None:
        name, module = self._modules[-1] if self._modules else ("", None)
        for index in read:
            if isinstance(module, QUANTIZABLE):
                bits = self.bits[name].activations if name in self.bits else FLOAT_BITS
                self.tensors[index].layer_bits = max(self.tensors[index].layer_bits, bits)
            else:
                self.tensors[index].feeds.update(other for other in made if other != index)
        self._alive = {key: entry for key, entry in self._alive.items() if _is_alive(entry[0])}
        self.moments.append(tuple({index for _, index in self._alive.values()}))

    def _index(self, value: Tensor, maker: str) -> int:
        """The number of a tensor's storage, a new one if it was not seen alive; -1 for weights."""
        reference = _reference(value)
        key = reference.cdata
        ignored = self._ignored.get(key)
        if ignored is not None and _is_alive(ignored):
            return -1
        entry = self._alive.get(key)
        if entry is not None and _is_alive(entry[0]):
            return entry[1]
        self.tensors.append(_Tensor(made_by=maker, bytes=value.untyped_storage().nbytes()))
        self._alive[key] = (reference, len(self.tensors) - 1)
        return len(self.tensors) - 1

    def _enter(self, name: str) -> Any:
        def enter(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            del inputs
            self._modules.append((name, module))
            self._hidden += is_hidden(module)

        return enter

    def _leave(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self._modules.pop()
        self._hidden -= is_hidden(module)
        if isinstance(module, ActivationQuantizer) and isinstance(output, Tensor):
            self._alias(inputs[0], output)
        elif isinstance(module, parametrize.ParametrizationList) and isinstance(output, Tensor):
            self._ignore(output)

    def _alias(self, values: Tensor, quantized: Tensor) -> None:
        index = self._index(values, "input")
        if index >= 0:
            reference = _reference(quantized)
            self._alive[reference.cdata] = (reference, index)

    def _ignore(self, value: Tensor) -> None:
        reference = _reference(value)
        self._ignored[reference.cdata] = reference


def _reference(value: Tensor) -> StorageWeakRef:
    """A weak reference to the tensor's storage; while it is held, no other storage gets its number."""
    return StorageWeakRef(value.untyped_storage())  # type: ignore[no-untyped-call]


def _is_alive(reference: StorageWeakRef) -> bool:
    return not reference.expired()  # type: ignore[no-untyped-call]
