"""Simulate topologies with SCALE-Sim (from the environment this runs in), each by itself, and read its CSVs."""

from __future__ import annotations

import csv
import json
import resource
import sys
import time
from pathlib import Path

from scalesim.scale_sim import scalesim  # pyright: ignore[reportMissingImports]

CONFIG = """[general]
run_name = run
[architecture_presets]
ArrayHeight = {rows}
ArrayWidth = {columns}
IfmapSramSzkB = 64
FilterSramSzkB = 64
OfmapSramSzkB = 64
IfmapOffset = 0
FilterOffset = 100000000
OfmapOffset = 200000000
Dataflow = {dataflow}
ReadRequestBuffer = 32
WriteRequestBuffer = 32
[layout]
IfmapCustomLayout = False
IfmapSRAMBankBandwidth = 10
IfmapSRAMBankNum = 10
IfmapSRAMBankPort = 2
FilterCustomLayout = False
FilterSRAMBankBandwidth = 10
FilterSRAMBankNum = 10
FilterSRAMBankPort = 2
[sparsity]
SparsitySupport = {sparse}
SparseRep = ellpack_block
OptimizedMapping = False
BlockSize = 4
RandomNumberGeneratorSeed = 40
[run_presets]
InterfaceBandwidth = CALC
UseRamulatorTrace = False
"""
LAYOUT = "Layer name,\n"


def simulate(topology: str, dataflow: str, array: list[int], *, sparse: bool) -> dict[str, object]:
    Path("run.cfg").write_text(CONFIG.format(rows=array[0], columns=array[1], dataflow=dataflow, sparse=sparse))
    Path("layout.csv").write_text(LAYOUT)
    Path("topology.csv").write_text(topology)
    start, worked = time.perf_counter(), time.process_time()
    run = scalesim(save_disk_space=True, verbose=False, config="run.cfg", topology="topology.csv", layout="layout.csv")
    run.run_scale(top_path="out")
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - worked,
        "cycles": column("COMPUTE_REPORT", "Total Cycles"),
        "input_reads": column("DETAILED_ACCESS_REPORT", "SRAM IFMAP Reads"),
        "weight_reads": column("DETAILED_ACCESS_REPORT", "SRAM Filter Reads"),
        "sum_writes": column("DETAILED_ACCESS_REPORT", "SRAM OFMAP Writes"),
        "dram_input_reads": column("DETAILED_ACCESS_REPORT", "DRAM IFMAP Reads"),
    }


def column(report: str, name: str) -> int:
    """The sum of one column over all layers of the topology."""
    with Path(f"out/run/{report}.csv").open() as file:
        rows = list(csv.reader(file))
    place = [cell.strip() for cell in rows[0]].index(name)
    return sum(int(float(row[place])) for row in rows[1:])


def main() -> None:
    job = json.load(sys.stdin)
    results = []
    start = time.perf_counter()
    for one in job["runs"]:
        if time.perf_counter() - start > job.get("budget_s", float("inf")):
            break
        results.append(simulate(one["topology"], one["dataflow"], job["array"], sparse=one.get("sparse", False)))
        print(one["dataflow"], results[-1], flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Path(sys.argv[1]).write_text(json.dumps({"results": results, "peak_mb": peak}))


if __name__ == "__main__":
    main()
