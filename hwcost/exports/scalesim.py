"""SCALE-Sim's topology CSV, in its convolution format.

SCALE-Sim supports neither padding, dilation, groups, three dimensions nor transposed convolutions, and rounds strided
outputs up. A two-dimensional convolution is therefore written with the padded part of its input that it reads, which
gives exactly its outputs. What cannot be written so is one matrix product per group, as a convolution with a kernel
of 1 x 1 over a column of rows: its cycles and its accesses to the buffers are those of the layer, but SCALE-Sim takes
every input of the product for another word, so that its DRAM reads of inputs count overlapping windows several times.
Rows end with a comma, as its reader expects; it also needs a layout CSV (`-l`), of which a header line is enough.
Checked against version 3.0.0 by `benchmarks/hardware_cost.py`.
"""

from __future__ import annotations

import math

from disparsity.hwcost.exports.products import NamedProduct, named_products
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload

HEADER = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,"


def topology(workload: Workload) -> str:
    """The CSV of all layers with weights."""
    return "\n".join([HEADER, *map(_row, named_products(workload))]) + "\n"


def _row(one: NamedProduct) -> str:
    # SCALE-Sim takes any name with these two capitals for a depthwise layer and repeats it per channel.
    name = one.name.replace("DP", "Dp")
    numbers = _convolution(one.call) if _is_plain(one.call) else _column(one)
    return f"{name}, {', '.join(map(str, numbers))},"


def _is_plain(call: LayerCall) -> bool:
    """Whether the format can hold a convolution as it is."""
    single = math.prod(call.input_shape[:-3]) == 1
    return call.kind == "Conv2d" and single and set(call.dilation) == {1} and len(set(call.stride)) == 1


def _convolution(call: LayerCall) -> tuple[int, ...]:
    """One group of a convolution: what it reads of its padded input, kernel, channels, filters, stride."""
    stride = call.stride[0]
    read = ((size - 1) * stride + kernel for size, kernel in zip(call.output_shape[-2:], call.kernel, strict=True))
    channels, filters = (shape[-3] // call.groups for shape in (call.input_shape, call.output_shape))
    return (*read, *call.kernel, channels, filters, stride)


def _column(one: NamedProduct) -> tuple[int, ...]:
    return (one.product.rows, 1, 1, 1, one.product.depth, one.product.columns, 1)
