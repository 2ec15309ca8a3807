"""SCALE-Sim's topology CSV, in its convolution format.

Every product is written as a convolution with a kernel of 1 x 1 over a column of rows: its input is ``rows x 1``
with ``depth`` channels and ``columns`` filters, so that SCALE-Sim, which knows neither padding, dilation, groups,
three dimensions nor transposed convolutions and rounds strided outputs up, counts exactly our products. Rows end
with a comma, as its reader wants.
"""

from __future__ import annotations

from disparsity.hwcost.exports.products import named_products
from disparsity.hwcost.layer_call import Workload

HEADER = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,"


def topology(workload: Workload) -> str:
    """The CSV of all layers with weights."""
    rows = [
        f"{one.name}, {one.product.rows}, 1, 1, 1, {one.product.depth}, {one.product.columns}, 1,"
        for one in named_products(workload)
    ]
    return "\n".join([HEADER, *rows]) + "\n"
