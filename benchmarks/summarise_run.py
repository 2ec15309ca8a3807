"""One run's figures as a result file.

`python benchmarks/summarise_run.py RUN --command "..." --out results/NAME.md`
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from provenance import provenance

from disparsity.base.atomic_io import write_text
from disparsity.report.accuracy import AccuracyRow
from disparsity.report.schema import parse_report
from disparsity.report.terminal import summary_table


def accuracy_lines(rows: tuple[AccuracyRow, ...]) -> list[str]:
    """Every evaluated stage, pooled and per image."""
    lines = [
        "| stage | EPE px | bad-1 % | bad-3 % | D1 % | per-image EPE px | pixels | images | mask | data |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        figures = [
            getattr(row, name) for name in ("epe_px", "bad1_percent", "bad3_percent", "d1_percent", "per_image_epe_px")
        ]
        cells = [f"{value:.3f}" for value in figures]
        scored = f"{row.pixels} | {row.images} | {row.mask} | `{row.data}`"
        lines.append(f"| {row.stage} | {' | '.join(cells)} | {scored} |")
    return lines


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--command", required=True)
    parser.add_argument("--title", required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    report = parse_report((arguments.run / "report" / "report.json").read_bytes(), arguments.run)
    seconds = report.settings.seconds
    lines = [
        f"# {arguments.title}",
        "",
        *accuracy_lines(report.accuracy),
        "",
        "```",
        summary_table(report),
        "```",
        "",
        f"Seconds per stage: {json.dumps(seconds)}; "
        f"together {sum(seconds.values()):.0f} s without start-up and report.",
        "",
        *provenance(arguments.command),
    ]
    write_text(arguments.out, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
