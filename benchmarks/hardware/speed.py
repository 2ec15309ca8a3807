"""Time and memory of one whole cost report, and how far the peers get with the same list of layers."""

from __future__ import annotations

import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from provenance import provenance

from disparsity.hwcost.exports.scalesim import topology
from disparsity.hwcost.exports.zigzag import workload_yaml
from disparsity.hwcost.models.cycles import cycles
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.quant.bits import LayerBits
from disparsity.stereo.networks import build_network
from hardware.environment import run_peer
from hardware.markdown import grouped, table

TITLE = "Time and memory"
NETWORK, SIZE, ARRAY = "psmnet_hourglass", (544, 960), (16, 16)
COMMAND = ["cost", NETWORK, "--size", f"{SIZE[0]}x{SIZE[1]}"]
REPEATS = 5
MOST_SECONDS, MOST_MB = 5, 1024
BUDGET_S = 180
MOST_CYCLES = 1_000_000
"""SCALE-Sim holds several numbers per cycle and lane; beyond this, memory runs out before patience."""


def measure(scalesim: Path | None, zigzag: Path | None, earlier: dict[str, Any]) -> dict[str, Any]:
    """The report anew, and the peers that are at hand; `earlier` is the last outcome, whose other peers stay."""
    reports = [_report() for _ in range(REPEATS)]
    calls = layer_list()
    start = time.perf_counter()
    total = sum(cycles(call, ARRAY, "ws") for call in calls)
    closed_form_s = time.perf_counter() - start
    load = os.getloadavg()[0]
    peers: dict[str, Any] = dict(earlier.get("peers", {}))
    if scalesim:
        peers["SCALE-Sim"] = _scalesim(scalesim, calls)
    if zigzag:
        peers["ZigZag"] = _zigzag(zigzag, calls)
    return {
        "reports": reports,
        "calls": len(calls),
        "different": len(different(calls)),
        "macs": sum(call.dense_macs for call in calls),
        "cycles": total,
        "closed_form_s": closed_form_s,
        "load": load,
        "peers": peers,
    }


def _report() -> dict[str, float]:
    """A fresh process with nothing imported yet; its own peak memory as the kernel has it."""
    program = Path(sys.executable).with_name("disparsity")
    start = time.perf_counter()
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([program, *COMMAND], stdout=subprocess.DEVNULL, env=one_thread)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError("disparsity cost failed")
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
    }


def layer_list() -> list[LayerCall]:
    """All layer calls, at 8 bits."""
    network = build_network(NETWORK).eval()
    traced = trace_workload(network, (torch.zeros(1, 3, *SIZE),) * 2)
    names = {call.name for call in traced.calls if call.weight_count}
    bits = dict.fromkeys(names, LayerBits(weights=8, activations=8))
    traced = trace_workload(network, (torch.zeros(1, 3, *SIZE),) * 2, bits)
    return [call for call in traced.calls if call.weight_count]


def different(calls: list[LayerCall]) -> list[tuple[LayerCall, int]]:
    """Every shape once with the number of its calls, fewest cycles first: no peer need cost one twice."""
    found: dict[object, list[LayerCall]] = {}
    for call in calls:
        geometry = (call.kernel, call.stride, call.padding, call.dilation, call.groups)
        found.setdefault((call.kind, call.input_shape, call.output_shape, geometry), []).append(call)
    pairs = [(same[0], len(same)) for same in found.values()]
    return sorted(pairs, key=lambda pair: cycles(pair[0], ARRAY, "ws"))


def _workload(call: LayerCall) -> Workload:
    return Workload(calls=(dataclasses.replace(call, name="layer", call=0),), parameters=0, buffers=0)


def _scalesim(python: Path, calls: list[LayerCall]) -> dict[str, Any]:
    pairs = [pair for pair in different(calls) if cycles(pair[0], ARRAY, "ws") <= MOST_CYCLES]
    runs = [{"topology": topology(_workload(call)), "dataflow": "ws"} for call, _ in pairs]
    answer = _within_budget(python, "scalesim_cycles", {"array": ARRAY, "runs": runs})
    done = _part(pairs, answer)
    simulated = [result["cycles"] for result in answer["results"]]
    closed = [cycles(call, ARRAY, "ws") for call, _ in pairs[: len(simulated)]]
    return {**done, "equal": sum(a == b for a, b in zip(simulated, closed, strict=True)), "cycles": sum(simulated)}


def _zigzag(python: Path, calls: list[LayerCall]) -> dict[str, Any]:
    pairs = different(calls)
    runs = [{"name": "layer_c0", "yaml": workload_yaml(_workload(call)), "hardware": "wide"} for call, _ in pairs]
    answer = _within_budget(python, "zigzag_costs", {"runs": runs})
    failed = [result["error"] for result in answer["results"] if "error" in result]
    return {**_part(pairs, answer), "failed": failed}


def _within_budget(python: Path, program: str, job: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return run_peer(python, program, {**job, "budget_s": BUDGET_S}, Path(folder))


def _part(pairs: list[tuple[LayerCall, int]], answer: dict[str, Any]) -> dict[str, Any]:
    finished = [pair for pair, result in zip(pairs, answer["results"], strict=False) if "error" not in result]
    return {
        "layers": len(finished),
        "calls": sum(count for _, count in finished),
        "macs": sum(call.dense_macs * count for call, count in finished),
        "measured": provenance("")[-1],
        "seconds": sum(result["cpu_seconds"] for result in answer["results"]),
        "peak_mb": answer["peak_mb"],
    }


def render(found: dict[str, Any]) -> list[str]:
    reports = sorted(found["reports"], key=lambda report: report["seconds"])
    best, middle = reports[0], reports[len(reports) // 2]
    processor = statistics.median(report["cpu_seconds"] for report in reports)
    peak = max(report["peak_mb"] for report in reports)
    held = best["seconds"] < MOST_SECONDS and peak < MOST_MB
    every = middle["seconds"] < MOST_SECONDS
    verdict = "held" if held and every else "held by the fastest run, not by the median" if held else "NOT held"
    return [
        f"`disparsity {' '.join(COMMAND)}`: **{best['seconds']:.2f} s** at best, {middle['seconds']:.2f} s in the "
        f"median of {len(reports)} fresh processes, import included ({processor:.2f} s of processor time, "
        f"one thread), at most **{peak:.0f} MB**. The aim of less than {MOST_SECONDS} s and {MOST_MB} MB is {verdict}. "
        f"Load average of the machine then: {found['load']:.1f}.",
        "",
        f"The network's {found['calls']} layer calls ({found['different']} different shapes, "
        f"{found['macs'] / 1e9:.0f} GMACs) through the peers, each shape once, fewest array cycles first, until "
        f"{BUDGET_S} s were over (SCALE-Sim: shapes up to {MOST_CYCLES:,} cycles, or memory runs out). "
        "The report has memory, energy, area, traffic and cycles of all calls. Seconds are processor time, so that "
        "the load of the machine does not count; the ratio is of the peer's part alone, without its import, to the "
        "median of our whole command with its import.",
        "",
        *table(("program", "shapes done", "layer calls", "share of MACs", "s", "ratio", "s per shape", "MB"), [
            _ours(found, processor, peak),
            *(_peer(name, part, found, processor) for name, part in found["peers"].items()),
        ]),
        "",
        *(line for name, part in found["peers"].items() for line in (_DETAILS[name](part, found), "")),
    ]  # fmt: skip


def _ours(found: dict[str, Any], seconds: float, peak: float) -> tuple[object, ...]:
    return (
        "`disparsity cost`", found["different"], found["calls"], "100 %", f"{seconds:.2f}", "1",
        f"{seconds / found['different']:.3f}", f"{peak:.0f}",
    )  # fmt: skip


def _peer(name: str, part: dict[str, Any], found: dict[str, Any], ours_s: float) -> tuple[object, ...]:
    return (
        name,
        f"{part['layers']} of {found['different']}",
        part["calls"],
        f"{100 * part['macs'] / found['macs']:.2g} %",
        f"{part['seconds']:.0f}",
        f"{part['seconds'] / ours_s:.0f}",
        f"{part['seconds'] / max(1, part['layers']):.1f}",
        f"{part['peak_mb']:.0f}",
    )


def _scalesim_details(part: dict[str, Any], found: dict[str, Any]) -> str:
    pace = part["cycles"] / part["seconds"]
    return (
        f"SCALE-Sim's cycles equal ours for {part['equal']} of {part['layers']} shapes. At its pace "
        f"({pace:,.0f} cycles a second) all {grouped(found['cycles'])} cycles would take it "
        f"{found['cycles'] / pace / 86400:.1f} days: an extrapolation, not a measurement. Our closed forms alone take "
        f"{1000 * found['closed_form_s']:.2f} ms for the cycles of all calls. ({part['measured']})"
    )


def _zigzag_details(part: dict[str, Any], _: dict[str, Any]) -> str:
    return (
        "ZigZag searches a mapping per shape, which is more than our report does; "
        f"{len(part['failed'])} shapes ended in an error of its own. ({part['measured']})"
    )


_DETAILS = {"SCALE-Sim": _scalesim_details, "ZigZag": _zigzag_details}
