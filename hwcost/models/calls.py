"""Layer calls as table columns: names, shapes, weights, bit widths and how often weights are used."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated

from disparsity.hwcost.models.quantities import Column, Percent
from disparsity.hwcost.tracing.layer_call import LayerCall

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class CallColumns:
    """What a call is; fields are those of `LayerCall`, and two figures that follow from them."""

    name: Annotated[str, Column(title="layer", formula="module path of the layer in the network")]
    kind: Annotated[
        str | None,
        Column(title="kind", formula="class of a layer with weights, or the kind of work of a part without"),
    ] = None
    call: Annotated[
        int | None,
        Column(
            title="call",
            formula="number of the execution; a siamese layer runs once per view and stores its weights once",
        ),
    ] = None
    input_shape: Annotated[Shape | None, Column(title="input", formula="[N, C, spatial...] of the first input")] = None
    output_shape: Annotated[Shape | None, Column(title="output", formula="[N, C, spatial...]")] = None
    input_elements: Annotated[int | None, Column(title="input elements", formula="elements of all inputs together")] = (
        None
    )
    kernel: Annotated[Shape | None, Column(title="kernel", formula="kernel size along each spatial axis")] = None
    stride: Annotated[Shape | None, Column(title="stride", formula="step of the kernel along each spatial axis")] = None
    padding: Annotated[
        Shape | None, Column(title="padding", formula="zeros added at each end of each spatial axis")
    ] = None
    dilation: Annotated[
        Shape | None, Column(title="dilation", formula="distance of the kernel's taps along each spatial axis")
    ] = None
    groups: Annotated[
        int | None,
        Column(title="groups", formula="channel groups g; each output channel reads Ci / g input channels"),
    ] = None
    weight_count: Annotated[
        int | None,
        Column(title="weights", formula="Co × Ci / g × kernel, stored once however often the layer is called"),
    ] = None
    nnz: Annotated[
        int | None,
        Column(title="non-zero", formula="weights that are not exactly zero after masking and quantization"),
    ] = None
    bias_count: Annotated[int | None, Column(title="biases", formula="one per output channel, or none")] = None
    weight_bits: Annotated[
        int | None, Column(title="weights", unit="bit", formula="width of one weight; 32 is float")
    ] = None
    activation_bits: Annotated[
        int | None, Column(title="activations", unit="bit", formula="width of one element of the input; 32 is float")
    ] = None
    code_bits: Annotated[
        int | None,
        Column(
            title="weight codes",
            unit="bit",
            formula="width of the integers that the weights are; powers of two are stored in fewer; 0 in float",
        ),
    ] = None
    weight_uses: Annotated[
        int | None,
        Column(title="weight uses", formula="N × output positions (transposed convolution: input positions)"),
    ] = None
    fan_in: Annotated[int | None, Column(title="fan-in", formula="products summed into one output")] = None
    weightless_macs: Annotated[
        int | None,
        Column(title="weightless MACs", formula="products of a part without weights, of dense MACs"),
    ] = None
    elementwise_ops: Annotated[
        int | None,
        Column(
            title="element-wise operations",
            formula="scalar operations of a part without weights, products and sums alike",
        ),
    ] = None
    fused: Annotated[
        bool | None,
        Column(
            title="fused",
            formula="whether a part works on the output of the layer before while it is at hand, so that only other "
            "operands move",
        ),
    ] = None
    output_elements: Annotated[int | None, Column(title="output elements", formula="product of the output's shape")] = (
        None
    )
    sparsity_percent: Annotated[
        Percent | None, Column(title="sparsity", unit="%", formula="100 × (1 − non-zero / weights)")
    ] = None


def call_columns(call: LayerCall) -> CallColumns:
    """The columns of a call; sparsity is None for a part without weights."""
    copied = {field.name: getattr(call, field.name) for field in fields(CallColumns)[:-1]}
    sparsity = 100 * (1 - call.nnz / call.weight_count) if call.weight_count else None
    return CallColumns(**copied, sparsity_percent=sparsity)
