"""Layer call: one record per executed call of a layer; every report is computed from the list of these records."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from disparsity.quant.bits import FLOAT_BITS, LayerBits

FLOAT_LAYER = LayerBits(weights=FLOAT_BITS, activations=FLOAT_BITS)


@dataclass(frozen=True, kw_only=True)
class LayerCall:
    """The work of one call.

    Attributes:
        name: the layer's name in the network.
        kind: the class of a layer with weights (``Conv2d``), or the `workload_kind` of a part without.
        call: 0 for the first call of this layer, 1 for the second (a siamese branch), ...
        input_shape: ``[N, C, ...]`` of the first input.
        output_shape: ``[N, C, ...]``.
        input_elements: elements of all inputs together.
        kernel, stride, padding, dilation: per spatial axis; empty for Linear and weight-free parts.
        groups: of a convolution; 1 otherwise.
        weight_count: weights of the layer, stored once however often it is called.
        nnz: weights that are not zero.
        nnz_per_filter: of every output filter, in order.
        bias_count: 0 without a bias.
        weight_bits, activation_bits: bit widths; activations are the layer's input; 32 is float.
        code_bits: width of the integers that the weights are, which is more than what is stored of powers of two; 0 is
            `weight_bits`.
        weight_uses: how often every weight is multiplied: N times the output positions (of a transposed
            convolution: input positions). Products with padding zeros count, as in `flop_counter`.
        fan_in: products summed into one output: the length of the accumulation.
        weightless_macs: products of a part without weights (the matrix product inside a soft-argmin).
        elementwise_ops: scalar operations of a weight-free part (see `operators`), 0 for layers.
        fused: an operation on the output of the layer before, which is still at hand: only further operands move.

    """

    name: str
    kind: str
    call: int
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    input_elements: int
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1
    weight_count: int = 0
    nnz: int = 0
    nnz_per_filter: tuple[int, ...] = field(default=(), repr=False)
    bias_count: int = 0
    weight_bits: int = FLOAT_BITS
    activation_bits: int = FLOAT_BITS
    code_bits: int = 0
    weight_uses: int = 0
    fan_in: int = 0
    weightless_macs: int = 0
    elementwise_ops: int = 0
    fused: bool = False

    @property
    def dense_macs(self) -> int:
        """Multiply-accumulates when nothing is skipped."""
        return self.weight_count * self.weight_uses + self.weightless_macs

    @property
    def effectual_macs(self) -> int:
        """Multiply-accumulates when every weight that is zero is skipped."""
        return self.nnz * self.weight_uses + self.weightless_macs

    @property
    def output_elements(self) -> int:
        """Elements of the output."""
        return math.prod(self.output_shape)

    @property
    def moved_elements(self) -> int:
        """Activations read and written at the least: inputs and output, or of a fused operation its other inputs."""
        if self.fused:
            return max(self.input_elements - self.output_elements, 0)
        return self.input_elements + self.output_elements

    @property
    def is_float(self) -> bool:
        """Whether its products need a floating-point multiplier: weights or inputs have 32 bits."""
        return FLOAT_BITS in (self.weight_bits, self.activation_bits)

    @property
    def accumulator_bits(self) -> int:
        """Worst-case width of the sum, ``b_a + b_w + ceil(log2(fan_in))``; 32 in floating point."""
        if self.is_float:
            return FLOAT_BITS
        return (self.code_bits or self.weight_bits) + self.activation_bits + math.ceil(math.log2(max(self.fan_in, 1)))


@dataclass(frozen=True, kw_only=True)
class Workload:
    """All calls of one execution of a network, in order.

    Attributes:
        calls: layers with weights, weight-free parts that declare a `workload_kind`, and single operations.
        parameters: of what runs, effective weights counted once, quantizers not counted.
        buffers: elements of the float buffers that it needs at inference (BatchNorm's mean and variance).
        counted_macs: by the formulas of `torch.utils.flop_counter`, whether a record holds them or not.
        unknown_macs: at the most, of operations that have no formula; see `most_products`.
        counted_bytes: that all operations read and wrote in float32, weights aside.
        modelled_bytes: of them, those of operations whose work a record holds.
        unmodelled: names of modules with parameters, and of operations, whose work no record holds,
            and of modules that never run.

    """

    calls: tuple[LayerCall, ...]
    parameters: int
    buffers: int
    counted_macs: int = 0
    unknown_macs: int = 0
    counted_bytes: int = 0
    modelled_bytes: int = 0
    unmodelled: tuple[str, ...] = ()

    @property
    def dense_macs(self) -> int:
        """Of all calls."""
        return sum(call.dense_macs for call in self.calls)

    @property
    def effectual_macs(self) -> int:
        """Of all calls."""
        return sum(call.effectual_macs for call in self.calls)
