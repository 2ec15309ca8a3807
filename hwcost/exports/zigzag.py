"""ZigZag's workload YAML: every layer as the nest of its own loops, in one, two or three dimensions.

ZigZag's ONNX reader supports two spatial axes only and silently counts a three-dimensional convolution as one of its
planes; its YAML takes any number of axes. B is the batch, G the groups, K and C the output and input channels of one
group, F the kernel; a convolution's inputs and a transposed convolution's outputs are related to the other axes by
stride and dilation, padding taken off. A Linear layer is a product of B rows. Precisions are those of the network,
sums in the worst-case width: hardware whose registers for sums are narrower (16 bits in ZigZag's `tpu_like`) gets no
mapping. Layers are listed in order without data dependencies.
Checked against version 3.9.1 by `benchmarks/hardware_cost.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from disparsity.hwcost.exports.products import call_name
from disparsity.hwcost.models.tiling import Geometry, geometry
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload


def workload_yaml(workload: Workload) -> str:
    """The YAML list of all layers with weights."""
    calls = [call for call in workload.calls if call.weight_count]
    return "".join(_layer(index, call) for index, call in enumerate(calls))


def _layer(index: int, call: LayerCall) -> str:
    lines = [
        f"- id: {index}",
        f"  name: {call_name(call)}",
        *(_nest(call) if call.kernel else _product(geometry(call))),
        "  operand_precision:",
        f"    W: {call.weight_bits}",
        f"    I: {call.activation_bits}",
        f"    O: {call.accumulator_bits}",
        f"    O_final: {call.activation_bits}",
        "  operand_source:",
        f"    W: {index}",
        f"    I: {index}",
    ]
    return "\n".join(lines) + "\n"


def _product(shape: Geometry) -> list[str]:
    """A Linear layer."""
    return [
        "  operator_type: Gemm",
        "  equation: O[b][k]+=W[k][c]*I[b][c]",
        "  dimension_relations: []",
        "  loop_dims: [B, K, C]",
        f"  loop_sizes: [{shape.outputs[0]}, {shape.channels_out}, {shape.channels_in}]",
    ]


@dataclass(frozen=True, kw_only=True)
class _Axes:
    """The letters of one kind of axis, ``o`` of outputs, and the sizes."""

    letter: str
    sizes: tuple[int, ...]

    @property
    def names(self) -> list[str]:
        return [self.letter + axis for axis in "dyx"[-len(self.sizes) :]]

    @property
    def indices(self) -> str:
        return "".join(f"[{name}]" for name in self.names)

    @property
    def loops(self) -> list[str]:
        return [name.upper() for name in self.names]


def _nest(call: LayerCall) -> list[str]:
    """A convolution: two kinds of axes are loops, the third, of the larger map, follows from them."""
    shape = geometry(call)
    inputs, outputs = _Axes(letter="i", sizes=shape.inputs), _Axes(letter="o", sizes=shape.outputs)
    kernel = _Axes(letter="f", sizes=shape.kernel)
    looped, related = (inputs, outputs) if shape.transposed else (outputs, inputs)
    channels = [shape.batch, call.groups, shape.channels_out, shape.channels_in]
    relations = [
        f"{to}={stride}*{loop}+{dilation}*{tap}"
        for to, stride, loop, dilation, tap in zip(
            related.names, shape.stride, looped.names, shape.dilation, kernel.names, strict=True
        )
    ]
    return [
        "  operator_type: Conv",
        f"  equation: O[b][g][k]{outputs.indices}+=W[g][k][c]{kernel.indices}*I[b][g][c]{inputs.indices}",
        f"  dimension_relations: [{', '.join(relations)}]",
        f"  loop_dims: [{', '.join(['B', 'G', 'K', 'C', *looped.loops, *kernel.loops])}]",
        f"  loop_sizes: [{', '.join(map(str, [*channels, *looped.sizes, *kernel.sizes]))}]",
        f"  pr_loop_dims: [{', '.join(related.loops)}]",
        f"  pr_loop_sizes: [{', '.join(map(str, related.sizes))}]",
        f"  padding: [{', '.join(_padding(call, shape, looped.sizes, related.sizes))}]",
    ]


def _padding(call: LayerCall, shape: Geometry, looped: tuple[int, ...], related: tuple[int, ...]) -> list[str]:
    """What the loops reach beyond the map on both sides; a stride may leave the far padding unread."""
    reach = zip(looped, shape.stride, shape.dilation, shape.kernel, strict=True)
    spans = [(size - 1) * stride + dilation * (kernel - 1) + 1 for size, stride, dilation, kernel in reach]
    return [
        f"[{near}, {max(0, span - size - near)}]" for near, span, size in zip(call.padding, spans, related, strict=True)
    ]
