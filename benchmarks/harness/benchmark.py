"""Benchmark command line: measure the cases that have no row yet, list them, or print the tables."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure

from disparsity.base.atomic_io import write_bytes, write_text
from disparsity.report.figures.rendering import png_bytes
from harness.provenance import provenance
from harness.rows import Case, Row, add_row, key_of, read_rows, rows_path
from harness.tables import Table, with_tables

RESULTS = Path(__file__).parents[1] / "results"


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A question with its cases.

    Attributes:
        name: of `results/NAME.json`, `NAME.md` and `NAME.png`.
        question: one sentence, for `--help`.
        cases: plain JSON values that identify what is measured.
        measure: the figures of one case, as plain JSON values.
        tables: what the rows say, for `results/NAME.md`.
        figure: the same as a picture.
        apart: every case is measured in a process of its own, so that peak memory is the case's.

    """

    name: str
    question: str
    cases: Callable[[], Iterable[Case]]
    measure: Callable[[Case], dict[str, Any]]
    tables: Callable[[list[Row]], Iterable[Table]]
    figure: Callable[[list[Row]], Figure] | None = None
    apart: bool = False


def main(benchmark: Benchmark, argv: Sequence[str] | None = None, results: Path = RESULTS) -> None:
    """Parse the command line and do what it asks for."""
    parser = argparse.ArgumentParser(description=benchmark.question)
    parser.add_argument("action", nargs="?", default="all", choices=["all", "run", "list", "table", "one"])
    parser.add_argument("--only", nargs="+", default=[], metavar="KEY=VALUE", help="cases with these values")
    parser.add_argument("--part", default="0/1", help="which share of the cases, e.g. 0/2")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no case after that")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    if arguments.action == "one":
        print(json.dumps(benchmark.measure(arguments.case)))
        return
    chosen = _chosen(benchmark, arguments.only, arguments.part)
    if arguments.action == "list":
        print(*(key_of(case) for case in chosen), sep="\n")
    if arguments.action in ("all", "run"):
        run(benchmark, chosen, results, time.monotonic() + 60 * arguments.minutes)
    if arguments.action in ("all", "table"):
        write_page(benchmark, results)


def run(benchmark: Benchmark, cases: Iterable[Case], results: Path, end: float = float("inf")) -> None:
    """Measure the cases that have no row yet; every row is written at once, so that the same command resumes."""
    path = rows_path(results, benchmark.name)
    done = {key_of(row["case"]) for row in read_rows(path)}
    made = provenance(f"python benchmarks/{Path(sys.argv[0]).name} run")
    for case in cases:
        if key_of(case) in done or time.monotonic() > end:
            continue
        print(key_of(case), file=sys.stderr, flush=True)
        found = _apart(case) if benchmark.apart else benchmark.measure(case)
        add_row(path, {"case": case, "found": found, "made": made})


def write_page(benchmark: Benchmark, results: Path) -> None:
    """Print the tables, put them between their marks in the page, and draw the figure."""
    rows, page = read_rows(rows_path(results, benchmark.name)), results / f"{benchmark.name}.md"
    tables = list(benchmark.tables(rows))
    print(*(line for table in tables for line in (f"\n{table.name}", *table.lines())), sep="\n")
    if page.is_file():
        write_text(page, with_tables(page.read_text(encoding="utf-8"), tables))
    if benchmark.figure:
        write_bytes(results / f"{benchmark.name}.png", png_bytes(benchmark.figure(rows)))


def _chosen(benchmark: Benchmark, only: Sequence[str], part: str) -> list[Case]:
    wanted = dict(text.split("=", 1) for text in only)
    index, of = map(int, part.split("/"))
    cases = [case for case in benchmark.cases() if all(str(case.get(key)) == value for key, value in wanted.items())]
    return cases[index::of]


def _apart(case: Case) -> dict[str, Any]:
    command = [sys.executable, sys.argv[0], "one", "--threads", str(torch.get_num_threads()), "--case", key_of(case)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found
