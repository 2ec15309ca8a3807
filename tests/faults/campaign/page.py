"""The result page from what the parts have found."""

from __future__ import annotations

from typing import Any

from hardware.markdown import table

from faults.lines import INPUTS


def page(parts: dict[str, dict[str, Any]]) -> str:
    """Markdown of all parts that have been run."""
    lines = ["# Reliability", "", "How it is tested: [docs/reliability.md](../../docs/reliability.md)."]
    for name, write in SECTIONS.items():
        if name in parts:
            facts = parts[name]
            lines += ["", *write(facts["found"]), "", *facts["provenance"]]
            lines += [f"{facts['seconds']:.0f} s of wall time, on a machine that other work kept busy."]
    return "\n".join(lines) + "\n"


def _kills(found: dict[str, Any]) -> list[str]:
    total = {key: sum(row[key] for row in found.values()) for key in ("kills", "during_a_write", "lost", "broken")}
    return [
        "## Kills",
        "",
        f"{total['kills']} times SIGKILL at a random moment of writing, {total['during_a_write']} of them with",
        f"a temporary file on the disk: {total['lost']} lost, {total['broken']} broken. (A row of metrics is",
        "appended in one call, without such a file.)",
        "",
        *table(
            ["writer", "kills", "during a write", "older than before", "unreadable", "left over after the next write"],
            (
                [name, row["kills"], row["during_a_write"], row["lost"], row["broken"], row["left_over"]]
                for name, row in found.items()
            ),
        ),
    ]


def _fuzz(found: dict[str, Any]) -> list[str]:
    total = sum(row["inputs"] for row in found.values())
    faults = [fault for row in found.values() for fault in row["faults"]]
    return [
        "## Mutated files",
        "",
        f"{total} inputs, {len(faults)} crashes, hangs (10 s), memory bombs (1 GB) or foreign exceptions; warnings",
        "count as exceptions. Every input can be made again from its target, block and number.",
        "",
        *table(
            ["parser", "inputs", "accepted", "refused", "µs of processor time each", "faults"],
            (
                [name, row["inputs"], row["accepted"], row["refused"], _microseconds(row), len(row["faults"])]
                for name, row in found.items()
            ),
        ),
        *(["", *(f"- {fault}" for fault in faults)] if faults else []),
    ]


def _microseconds(row: dict[str, Any]) -> str:
    return f"{1e6 * row['seconds'] / max(1, row['inputs']):.0f}"


def _cycles(found: dict[str, Any]) -> list[str]:
    killed, stopped = found["killed"], found["stopped"]
    same = "the hashes of the unbroken run" if killed["same_hashes"] else "OTHER HASHES than the unbroken run"
    return [
        "## Killed and resumed",
        "",
        f"One run of {killed['steps']} steps, ended {killed['cycles']} times ({killed['by_sigterm']} by SIGTERM, the",
        f"others by SIGKILL) and resumed each time: weights, moments, scores and metrics have {same}.",
        f"Then {stopped['stops']} stops and resumptions inside one process.",
        "",
        *table(
            ["largest of", "first ten", "last ten"],
            (
                [text, rows[key]["first"], rows[key]["last"]]
                for text, rows, key in (
                    ("bytes of the run's folder", killed, "disk_bytes"),
                    ("resident MB when killed", killed, "resident_mb"),
                    ("open files when killed", killed, "descriptors"),
                    ("resident MB, one process", stopped, "resident_mb"),
                    ("open files, one process", stopped, "descriptors"),
                )
            ),
        ),
    ]


def _overheads(found: list[dict[str, Any]]) -> list[str]:
    return [
        "## What it costs",
        "",
        "Medians of nine; the step is one 256x256 pair on one thread. A run saves every 120 s.",
        "",
        *table(
            [
                "network",
                "checkpoint, MB",
                "step, ms",
                "save, ms",
                "in steps",
                "% of a run",
                "hashing, % of it",
                "resume, ms",
            ],
            (
                [
                    row["network"],
                    f"{row['bytes'] / 1e6:.1f}",
                    f"{row['step_ms']:.0f}",
                    f"{row['save_ms']:.1f}",
                    f"{row['save_ms'] / row['step_ms']:.2f}",
                    f"{row['save_ms'] / 1.2e3:.3f}",
                    f"{100 * row['hashing_ms'] / row['save_ms']:.0f}",
                    f"{row['resume_ms']:.1f}",
                ]
                for row in found
            ),
        ),
    ]


def _lines(found: dict[str, Any]) -> list[str]:
    return [
        "## Lines that mutated files reach",
        "",
        f"Lines inside functions, by {INPUTS} inputs each; what is missing writes, or stands behind the reading.",
        "",
        *table(
            ["file", "lines", "run", "%"],
            ([path, row["lines"], row["run"], f"{100 * row['run'] / row['lines']:.0f}"] for path, row in found.items()),
        ),
    ]


SECTIONS = {"kills": _kills, "fuzz": _fuzz, "cycles": _cycles, "overheads": _overheads, "lines": _lines}
