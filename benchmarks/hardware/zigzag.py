"""MACs, array cycles and DRAM energy against ZigZag, fed with ONNX and with our own export."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

from torch import nn

from disparsity.hwcost.exports.zigzag import workload_yaml
from disparsity.hwcost.models.cycles import lowered
from disparsity.hwcost.models.tiling import compulsory_bytes
from disparsity.hwcost.tracing.layer_call import LayerCall
from hardware.environment import run_peer
from hardware.layers import Sample, alone, different_layers, spread, workload_of

ARRAY = 32
MAC_PJ, DRAM_READ_PJ, DRAM_WRITE_PJ, WORD_BITS = 0.04, 700, 750, 64
"""Constants of ZigZag's own `tpu_like` hardware."""
MOST_MACS = 3_000_000
PER_CATEGORY = 2
REFERENCE = {
    "L1": (nn.Conv2d(3, 16, 3, padding=1), (32, 64)),
    "L2": (nn.Conv2d(16, 32, 3, stride=2, padding=1), (32, 64)),
    "L3": (nn.Conv2d(32, 32, 3, padding=1), (16, 32)),
    "C3D": (nn.Conv3d(32, 16, 3, padding=1), (8, 16, 32)),
}


def reference_layers() -> list[Sample]:
    return [alone("reference layers", name, layer, size) for name, (layer, size) in REFERENCE.items()]


def zoo_layers() -> list[Sample]:
    """Some of every category, 2D and 3D, plain and transposed."""
    return spread([one for one in different_layers() if one.call.dense_macs <= MOST_MACS], PER_CATEGORY)


def measure(python: Path) -> dict[str, Any]:
    reference, zoo = reference_layers(), zoo_layers()
    runs = [_as_onnx(one) for one in reference] + [_as_export(one) for one in reference + zoo]
    runs.append(_as_product(reference[-1]))
    with tempfile.TemporaryDirectory() as folder:
        answer = run_peer(python, "zigzag_costs", {"runs": runs}, Path(folder))
    samples = reference + reference + zoo + reference[-1:]
    ways = ["ONNX"] * len(reference) + ["export"] * len(reference + zoo) + ["matrix product"]
    rows = [_row(way, sample, theirs) for way, sample, theirs in zip(ways, samples, answer["results"], strict=True)]
    return {"rows": rows, "peak_mb": answer["peak_mb"]}


def _as_onnx(sample: Sample) -> dict[str, Any]:
    call = sample.call
    layer = {
        "name": sample.layer,
        "weight_shape": [call.output_shape[1], call.input_shape[1] // call.groups, *call.kernel],
        "input_shape": call.input_shape,
        "output_shape": call.output_shape,
        "attributes": {
            "kernel_shape": call.kernel,
            "strides": call.stride,
            "pads": [*call.padding, *call.padding],
            "dilations": call.dilation,
            "group": call.groups,
        },
    }
    return {"name": sample.layer, "onnx": layer, "hardware": "shipped"}


def _as_export(sample: Sample) -> dict[str, Any]:
    return {"name": "layer0_c0", "yaml": workload_yaml(workload_of([sample])), "hardware": "wide"}


def _as_product(sample: Sample) -> dict[str, Any]:
    """What the export wrote before it was tried here: windows that overlap count as inputs of their own."""
    product = lowered(sample.call)
    text = (
        "- id: 0\n  name: product\n  operator_type: Gemm\n  equation: O[b][k]+=W[k][c]*I[b][c]\n"
        f"  dimension_relations: []\n  loop_dims: [B, K, C]\n"
        f"  loop_sizes: [{product.rows}, {product.columns}, {product.depth}]\n"
        f"  operand_precision: {{W: 8, I: 8, O: {sample.call.accumulator_bits}, O_final: 8}}\n"
        "  operand_source: {W: 0, I: 0}\n"
    )
    return {"name": "product", "yaml": text, "hardware": "wide"}


def expected(call: LayerCall) -> dict[str, float]:
    """Closed forms of ZigZag's own hardware: channels across the array, and every operand moved once."""
    product = lowered(call)
    taps, outs, ins = math.prod(call.kernel), call.output_shape[1] // call.groups, call.input_shape[1] // call.groups
    folds = math.ceil(outs / ARRAY) * math.ceil(ins / ARRAY)
    per_word = call.activation_bits / WORD_BITS
    return {
        "macs": call.dense_macs,
        "compute_cycles": product.groups * call.weight_uses * taps * folds,
        "I": call.input_elements * per_word * DRAM_READ_PJ,
        "W": call.weight_count * call.weight_bits / WORD_BITS * DRAM_READ_PJ,
        "O": call.output_elements * per_word * DRAM_WRITE_PJ,
        "dram_bytes": compulsory_bytes(call),
    }


def _row(way: str, sample: Sample, theirs: dict[str, Any]) -> dict[str, Any]:
    row = {"way": way, "network": sample.network, "layer": sample.layer, "shape": sample.shape}
    row |= {"ours": expected(sample.call), "seconds": theirs["seconds"], "error": theirs.get("error")}
    if not row["error"]:
        macs = round(theirs["mac_energy_pj"] / MAC_PJ)
        row["theirs"] = {"macs": macs, "compute_cycles": theirs["compute_cycles"], **theirs["dram_pj"]}
        row |= {key: theirs[key] for key in ("energy_pj", "latency_cycles", "mac_energy_pj")}
    return row
