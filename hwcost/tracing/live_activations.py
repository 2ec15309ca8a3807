"""Peak memory of live activations: what has to be held at the worst moment of a trace.

Every tensor is followed from the operation that makes it to the moment nothing refers to it any more. Weights,
and whatever is computed from them by masks and quantizers, are not activations. Fake quantization is taken as
what it stands for, a change of representation: its output is its input.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from torch import nn

from disparsity.base.layers import QUANTIZABLE
from disparsity.base.trace.operation import ModuleEnd, Operation, Trace, TracedTensor
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


def peak_activations(network: nn.Module, trace: Trace, bits: Mapping[str, LayerBits] | None = None) -> ActivationPeak:
    """The peak in a trace of `network`.

    A tensor is stored in the widest format that any of its readers needs: a layer reads at its activation
    bits, an operation without bits passes on what its output needs (it is fused into the layer that made its
    input), and what the network returns is float32. Interpretation: an accelerator fuses element-wise
    operations; cost volumes and skips are held once, in the precision of their reader.
    """
    follower = _Follower(network, trace, bits or {})
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
    the latter sets no width for the tensors that it was made from. A tensor is made after the tensors it is made
    from, so one pass from the last to the first sets all widths.
    """
    asked = [0] * len(tensors)
    for index in range(len(tensors) - 1, -1, -1):
        tensor = tensors[index]
        asked[index] = max([tensor.layer_bits, *(asked[reader] for reader in tensor.feeds if reader > index)])
        if not asked[index] and index in returned:
            asked[index] = FLOAT_BITS
    return [bits or FLOAT_BITS for bits in asked]


class _Follower:
    """Which storages are alive after every operation, and who reads them."""

    def __init__(self, network: nn.Module, trace: Trace, bits: Mapping[str, LayerBits]) -> None:
        self.tensors: list[_Tensor] = []
        self.moments: list[tuple[int, ...]] = []
        self._bits, self._modules, self._storages = bits, dict(network.named_modules()), trace.storages
        self._weights = {value.storage for value in trace.constants.values()}
        self._index: dict[int, int] = {}
        hidden = {name for name, module in self._modules.items() if is_hidden(module)}
        for number, event in enumerate(trace.events):
            if isinstance(event, Operation) and hidden.isdisjoint(event.stack):
                self._operation(number, event)
            elif isinstance(event, ModuleEnd) and event.stack[-1] in hidden:
                self._hidden_module(event)

    def _operation(self, number: int, event: Operation) -> None:
        name = event.stack[-1] if event.stack else ""
        read = [index for value in event.read if (index := self._number(value, "input")) is not None]
        made = [index for value in event.made if (index := self._number(value, name)) is not None]
        for index in read:
            if isinstance(self._modules[name], QUANTIZABLE) or event.operator == "convolution":
                bits = self._bits[name].activations if name in self._bits else FLOAT_BITS
                self.tensors[index].layer_bits = max(self.tensors[index].layer_bits, bits)
            else:
                self.tensors[index].feeds.update(other for other in made if other != index)
        for storage in [key for key in self._index if self._is_freed(key, number)]:
            del self._index[storage]
        self.moments.append(tuple(set(self._index.values())))

    def _hidden_module(self, event: ModuleEnd) -> None:
        """A quantized tensor is the tensor that it was made from; a weight behind masks and quantizers is a weight."""
        module = self._modules[event.stack[-1]]
        if isinstance(module, ActivationQuantizer):
            index = self._number(event.inputs[0], "input")
            if index is not None:
                self._index[event.outputs[0].storage] = index
        else:
            self._weights.add(event.outputs[0].storage)

    def _number(self, value: TracedTensor, maker: str) -> int | None:
        """The number of a tensor's storage, a new one if it was not seen; None for weights."""
        if value.storage in self._weights:
            return None
        if value.storage not in self._index:
            self.tensors.append(_Tensor(made_by=maker, bytes=self._storages[value.storage].nbytes))
            self._index[value.storage] = len(self.tensors) - 1
        return self._index[value.storage]

    def _is_freed(self, storage: int, event: int) -> bool:
        freed = self._storages[storage].freed
        return freed is not None and freed <= event
