"""Training, scoring, quantization-aware and reconstruction steps on a device, and what each setting changes.

    python benchmarks/gpu.py                       on a GPU, minutes: results/steps_cuda.json
    python benchmarks/gpu.py --device cpu          the same of smaller cases: results/steps_cpu.json
    python benchmarks/gpu.py --device cpu --tiny   whether it works: build/steps_tiny

Resumes. On a CPU every case has a process of its own, whose peak memory is the case's; on a GPU all run in this one,
and torch counts the memory. Times are processor time on a CPU, which others use too, and wall time elsewhere.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from device_steps.cases import CPU, GPU, TINY, base_of, cases, setting_of
from device_steps.work import measure
from harness.benchmark import RESULTS, Benchmark, main
from harness.rows import Case, Row, key_of
from harness.tables import Table

STEPS = 6
"""Of every case, the first one not counted."""
BUILD = Path(__file__).parents[1] / "build/steps_tiny"


def tables(rows: list[Row]) -> Iterator[Table]:
    """Every case, with its ratios to the base of its task."""
    known = {key_of(row["case"]): row["found"] for row in rows}
    header = ("network", "crop", "pairs", "task", "setting", "ms", "x", "peak MB", "x", "load")
    lines = [_line(row["case"], row["found"], known.get(key_of(base_of(row["case"])))) for row in rows]
    yield Table("steps", header, lines)


def _line(case: Case, found: dict[str, Any], base: dict[str, Any] | None) -> tuple[object, ...]:
    place = (case["network"], "x".join(map(str, case["size"])), case["batch"], case["task"], setting_of(case))
    if "error" in found:
        return (*place, found["error"], "", "", "", "")
    ms, peak = (f"{found[key] / base[key]:.2f}" if base and key in base else "?" for key in ("ms", "peak_mb"))
    return (*place, f"{found['ms']:.1f}", ms, f"{found['peak_mb']:.0f}", peak, f"{found['load'][0]:.1f}")


def benchmark(device: str, *, tiny: bool = False, steps: int = STEPS) -> Benchmark:
    """The benchmark of one device."""
    networks = TINY if tiny else CPU if device == "cpu" else GPU
    emulated = device == "cpu" and not torch.cpu._is_avx512_bf16_supported()
    return Benchmark(
        name=f"steps_{device}",
        question="How long steps take on a device, how much memory they need, and what each setting changes",
        cases=functools.partial(cases, device, networks, emulated=emulated),
        measure=functools.partial(measure, steps=steps),
        tables=tables,
        apart=device == "cpu",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--steps", type=int, default=STEPS)
    own, rest = parser.parse_known_args(sys.argv[1:])
    chosen = benchmark(own.device, tiny=own.tiny, steps=own.steps)
    main(chosen, rest, BUILD if own.tiny else RESULTS)
