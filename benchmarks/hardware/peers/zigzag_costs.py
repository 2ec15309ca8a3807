"""Cost workloads with ZigZag (imported from the environment this runs in), layer by layer."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
import zigzag  # pyright: ignore[reportMissingImports]
from onnx import ModelProto, TensorProto, helper, numpy_helper
from zigzag.api import get_hardware_performance_zigzag  # pyright: ignore[reportMissingImports]

INPUTS = Path(zigzag.__file__).parent / "inputs"
SUM_BITS = 32


def wide_sums() -> Path:
    """The shipped TPU-like array with registers of 32 instead of 16 bits for the sums; else wider sums have no room."""
    hardware = yaml.safe_load((INPUTS / "hardware/tpu_like.yaml").read_text())
    register = hardware["memories"]["rf_2B"]
    register["size"] = SUM_BITS
    for port in register["ports"]:
        port["bandwidth_min"] = port["bandwidth_max"] = SUM_BITS
    path = Path("wide.yaml")
    path.write_text(yaml.safe_dump(hardware, sort_keys=False))
    return path


def onnx_of(layer: dict[str, Any]) -> ModelProto:
    """One convolution as a model of its own."""
    value = np.zeros(layer["weight_shape"], np.float32)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, layer[f"{name}_shape"]) for name in ("input", "output")
    ]
    node = helper.make_node("Conv", ["input", "weight"], ["output"], name=layer["name"], **layer["attributes"])
    graph = helper.make_graph([node], "layer", ends[:1], ends[1:], [numpy_helper.from_array(value, "weight")])
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 17)])


def cost(run: dict[str, Any], wide: Path) -> dict[str, Any]:
    """One layer's figures, or the error that ended it."""
    if "onnx" in run:
        workload: Any = onnx_of(run["onnx"])
    else:
        workload = "workload.yaml"
        Path(workload).write_text(run["yaml"])
    hardware = wide if run["hardware"] == "wide" else INPUTS / "hardware/tpu_like.yaml"
    Path("out").mkdir(exist_ok=True)
    start, worked = time.perf_counter(), time.process_time()
    try:
        energy, latency, _ = get_hardware_performance_zigzag(
            workload,
            str(hardware),
            str(INPUTS / "mapping/default.yaml"),
            opt="latency",
            dump_folder="out",
            pickle_filename="out/all.pickle",
            loma_show_progress_bar=False,
        )
    except Exception as error:
        taken = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - worked}
        return {**taken, "error": f"{type(error).__name__}: {error}"[:200]}
    taken = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - worked}
    found = json.loads(Path(f"out/{run['name']}_complete.json").read_text())["outputs"]
    memory = found["energy"]["memory_energy_breakdown_per_level"]
    return {
        **taken,
        "energy_pj": energy,
        "latency_cycles": latency,
        "mac_energy_pj": found["energy"]["operational_energy"],
        "compute_cycles": found["latency"]["computation"],
        "onload_cycles": found["latency"]["data_onloading"],
        "dram_pj": {operand: memory[operand][-1] for operand in ("I", "W", "O")},
    }


def main() -> None:
    job = json.load(sys.stdin)
    wide, results, start = wide_sums(), [], time.perf_counter()
    for run in job["runs"]:
        if time.perf_counter() - start > job.get("budget_s", float("inf")):
            break
        results.append(cost(run, wide))
        print(run["name"], results[-1], flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Path(sys.argv[1]).write_text(json.dumps({"results": results, "peak_mb": peak}))


if __name__ == "__main__":
    main()
