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
from hardware.markdown import against, grouped, share, table

TITLE = "MACs, cycles and DRAM energy against ZigZag 3.9.1"
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
FIGURES = ("macs", "compute_cycles", "I", "W", "O")


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
    rows = [_row(*both, theirs) for *both, theirs in zip(ways, samples, answer["results"], strict=True)]
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


def render(found: dict[str, Any]) -> list[str]:
    rows = found["rows"]
    plain = [row for row in rows if row["way"] == "ONNX" and row["layer"] != "C3D"]
    c3d = [row for row in rows if row["layer"] == "C3D"]
    zoo = [row for row in rows if row["way"] == "export" and row["network"] != "reference layers"]
    return [
        "Hardware: ZigZag's own `tpu_like` (32 x 32, output channels across, input channels down). Closed forms: MAC "
        f"energy = {MAC_PJ} pJ per MAC; array cycles = positions x taps x groups x ceil(K/32) x ceil(C/32); DRAM "
        f"energy = bits / {WORD_BITS} x {DRAM_READ_PJ} pJ (outputs {DRAM_WRITE_PJ}) of our `compulsory_bytes`.",
        "",
        "Two-dimensional reference layers from ONNX, 8 bits:",
        "",
        *_table(plain),
        "",
        _totals(plain),
        "",
        "**A Conv3d (C3D, 32->16, kernel 3, 8 x 16 x 32).** From ONNX, ZigZag reads two of the three axes, without a "
        "warning; our export writes all loops; a matrix product has the right MACs but takes windows that overlap "
        "for separate inputs:",
        "",
        *_three_ways(c3d),
        "",
        f"**{len(zoo)} convolutions of the zoo**, each alone on a small map, through `hwcost/exports/zigzag.py` "
        "(transposed ones too, which ZigZag's ONNX reader does not know). The hardware's register for sums is widened "
        "from 16 to 32 bits: with the shipped one ZigZag finds no mapping for sums as wide as they get. Multiples are "
        "of our figure.",
        "",
        *_verdict(zoo),
        "",
        "What differs. Weights and outputs: ZigZag moves whole words of 64 bits for every turn of a loop, so that the "
        "9 weights of one depthwise filter take 16 bytes. Inputs: a kernel of 1 with a stride of 2 reads a quarter of "
        "its input, and ZigZag moves only that; `compulsory_bytes` counts inputs whole. Array cycles: its own include "
        "the stalls of a port that is too narrow for a moment, the closed form has none.",
        "",
        *_table(zoo),
        "",
        f"Seconds are wall clock on a shared machine; peak memory {found['peak_mb']:,.0f} MB.",
    ]


def _table(rows: list[dict[str, Any]]) -> list[str]:
    header = ("network", "layer", "shape", "MACs", "array cycles", "DRAM inputs", "weights", "outputs", "DRAM kB", "s")
    return table(header, map(_cells, rows))


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    start = f"`{row['network']}`", f"`{row['layer']}`", row["shape"]
    ours = row["ours"]
    if row["error"]:
        return *start, row["error"], *[""] * 5, f"{row['seconds']:.1f}"
    figures = [against(ours[name], row["theirs"][name]) for name in FIGURES]
    return (
        *start,
        f"{grouped(ours['macs'])} ({figures[0]})",
        f"{grouped(ours['compute_cycles'])} ({figures[1]})",
        *figures[2:],
        f"{ours['dram_bytes'] / 1000:.1f}",
        f"{row['seconds']:.1f}",
    )


def _totals(rows: list[dict[str, Any]]) -> str:
    energy, cycles = sum(row["energy_pj"] for row in rows), sum(row["latency_cycles"] for row in rows)
    macs = sum(row["mac_energy_pj"] for row in rows)
    return (
        f"Together {energy / 1e6:.2f} uJ and {cycles:,.0f} cycles with loading and unloading; memory is "
        f"{100 * (1 - macs / energy):.1f} % of the energy."
    )


def _three_ways(rows: list[dict[str, Any]]) -> list[str]:
    def cells(row: dict[str, Any]) -> tuple[object, ...]:
        ours, theirs = row["ours"], row["theirs"]
        share_of = f"{grouped(theirs['macs'])} ({against(ours['macs'], theirs['macs'])})"
        inputs = f"{theirs['I'] / 1e6:.3f} uJ ({against(ours['I'], theirs['I'])})"
        return row["way"], share_of, inputs, f"{row['energy_pj'] / 1e6:.2f} uJ", f"{row['seconds']:.1f}"

    truth = rows[0]["ours"]
    first = ("truth", grouped(truth["macs"]), f"{truth['I'] / 1e6:.3f} uJ", "", "")
    return table(("written as", "MACs", "DRAM energy of inputs", "energy", "s"), [first, *map(cells, rows)])


def _verdict(rows: list[dict[str, Any]]) -> list[str]:
    done = [row for row in rows if not row["error"]]
    counts = [sum(row["ours"][name] == row["theirs"][name] for row in done) for name in FIGURES]
    names = ("MACs", "array cycles", "DRAM inputs", "DRAM weights", "DRAM outputs")
    return table(names, [[share(count, len(done)) for count in counts]])
