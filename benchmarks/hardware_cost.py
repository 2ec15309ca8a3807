"""Our cost model beside independent counts: MACs, QONNX, SCALE-Sim, ZigZag, and what it takes to run.

`python benchmarks/hardware_cost.py` measures every section whose peer is at hand, `--only NAME` a single one. A
section's figures lie in results/hardware_cost/NAME.json; results/hardware_cost.md is written anew from all of them, so
that what was not measured again stays (in `speed` the peers that are not at hand). The peers need environments of
their own:

    python -m venv qonnx    && qonnx/bin/pip install qonnx==1.0.0
    python -m venv scalesim && scalesim/bin/pip install scalesim==3.0.0 "numpy<2" "pandas<3"
    python -m venv zigzag   && zigzag/bin/pip install zigzag-dse==3.9.1 six
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch
from hardware import flops, qonnx, scalesim, speed, zigzag
from provenance import provenance

from disparsity.base.atomic_io import write_json, write_text

RESULTS = Path(__file__).parent / "results"
SECTIONS = {"flops": flops, "qonnx": qonnx, "scalesim": scalesim, "zigzag": zigzag, "speed": speed}
PYTHONS = ("qonnx", "scalesim", "zigzag")
PEERS = {"flops": (), "qonnx": ("qonnx",), "scalesim": ("scalesim",), "zigzag": ("zigzag",), "speed": ()}


def main(argv: list[str] | None = None) -> None:
    """Measure, keep, and write the page."""
    torch.set_num_threads(1)
    arguments = parser().parse_args(argv)
    for name in arguments.only or SECTIONS:
        missing = [peer for peer in PEERS[name] if getattr(arguments, peer) is None]
        if missing:
            options = " and ".join(f"--{peer} PYTHON" for peer in missing)
            print(
                f"{name}: not measured, no interpreter with the peer installed was given ({options})", file=sys.stderr
            )
            continue
        print(name, file=sys.stderr)
        pythons = {peer: Path(path).absolute() for peer in PYTHONS if (path := getattr(arguments, peer))}
        if name == "speed":
            found = speed.measure(pythons.get("scalesim"), pythons.get("zigzag"), last(name))
        else:
            found = SECTIONS[name].measure(*(pythons[peer] for peer in PEERS[name]))
        options = "".join(f" --{peer} PYTHON" for peer in PEERS[name])
        command = f"python benchmarks/hardware_cost.py --only {name}{options}"
        write_json(kept(name), {**found, "provenance": provenance(command)})
    write_text(RESULTS / "hardware_cost.md", "\n".join(page()) + "\n")


def parser() -> argparse.ArgumentParser:
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--only", action="append", choices=SECTIONS, help="may be given several times")
    for peer in PYTHONS:
        command.add_argument(f"--{peer}", metavar="PYTHON", help=f"the interpreter of the environment with {peer}")
    return command


def kept(name: str) -> Path:
    return RESULTS / "hardware_cost" / f"{name}.json"


def last(name: str) -> dict[str, Any]:
    """What was measured before, empty if nothing was."""
    return json.loads(kept(name).read_text()) if kept(name).exists() else {}


def page() -> list[str]:
    """All sections that were ever measured, each with its own command, commit and machine."""
    lines = ["# The cost model beside independent counts", ""]
    for name, section in SECTIONS.items():
        lines += [f"## {section.TITLE}", ""]
        if found := last(name):
            lines += [*section.render(found), "", *found["provenance"], ""]
        else:
            lines += [f"Not measured yet: `--only {name}`.", ""]
    return lines[:-1]


if __name__ == "__main__":
    main()
