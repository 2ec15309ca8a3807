"""Training, scoring, quantization-aware and reconstruction steps on a device, and what each setting changes.

    python benchmarks/gpu.py                       on a GPU, minutes: results/steps_cuda.md
    python benchmarks/gpu.py --device cpu          the same of smaller cases: results/steps_cpu.md
    python benchmarks/gpu.py --device cpu --tiny --out FOLDER      whether it works

What has been measured is kept in OUT/measured.jsonl; the same command goes on behind it. On a CPU every case has a
process of its own, whose peak memory is the case's; on a GPU all run here, and torch counts the memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from device_steps.cases import CPU, GPU, TINY, Case, cases, without_emulation
from device_steps.page import page
from device_steps.work import measure
from provenance import provenance

from disparsity.base.atomic_io import write_text
from disparsity.base.devices import choose_device, describe, use_device

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure what is missing and write the page."""
    arguments = _arguments()
    device = choose_device(arguments.device, "--device")
    use_device(device)
    torch.set_num_threads(arguments.threads)
    if arguments.case is not None:
        print(json.dumps(measure(_cases(arguments)[arguments.case], device, arguments.steps)))
        return
    out = arguments.out or Path("build") / f"steps_{device.type}"
    out.mkdir(parents=True, exist_ok=True)
    found = _measured(arguments, device, out / "measured.jsonl")
    command = f"python benchmarks/gpu.py --device {arguments.device} --steps {arguments.steps}"
    lines = [*page(found, device.type), "", f"Device: {describe(device)}.", "", *provenance(command)]
    result = out / "page.md" if arguments.tiny else RESULTS / f"steps_{device.type}.md"
    write_text(result, "\n".join(lines) + "\n")
    print("\n".join(lines))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="one network, 32x64")
    parser.add_argument("--steps", type=int, default=6, help="of every case, the first one not counted")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=8.0, help="no case is begun after that")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--case", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _cases(arguments: argparse.Namespace) -> list[Case]:
    if arguments.tiny or arguments.device != "cpu":
        return list(cases(TINY if arguments.tiny else GPU))
    return list(cases(CPU) if torch.cpu._is_avx512_bf16_supported() else without_emulation(cases(CPU)))


def _measured(arguments: argparse.Namespace, device: torch.device, store: Path) -> dict[Case, dict[str, Any]]:
    """Every case with its result, as far as there was time."""
    lines = store.read_text().splitlines() if store.is_file() else []
    known = {row["key"]: row for row in map(json.loads, lines)}
    end = time.monotonic() + 60 * arguments.minutes
    found = {}
    for number, case in enumerate(_cases(arguments)):
        if case.key not in known and time.monotonic() < end:
            print(case.key, file=sys.stderr, flush=True)
            known[case.key] = {"key": case.key} | _result(arguments, device, number, case)
            with store.open("a") as file:
                file.write(json.dumps(known[case.key]) + "\n")
        if case.key in known:
            found[case] = known[case.key]
    return found


def _result(arguments: argparse.Namespace, device: torch.device, number: int, case: Case) -> dict[str, Any]:
    if device.type == "cpu":
        shared = [
            "--device",
            "cpu",
            "--steps",
            str(arguments.steps),
            "--threads",
            str(arguments.threads),
            *(["--tiny"] if arguments.tiny else []),
        ]
        command = [sys.executable, __file__, *shared, "--case", str(number)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    try:
        return measure(case, device, arguments.steps)
    except torch.OutOfMemoryError:
        return {"error": "out of memory"}


if __name__ == "__main__":
    main()
