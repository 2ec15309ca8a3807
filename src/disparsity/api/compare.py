"""`disparsity.compare`: finished runs and reports side by side."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disparsity.api.report import Report
from disparsity.api.run import Run, dotted
from disparsity.base.atomic_io import write_json, write_text
from disparsity.base.errors import InputError
from disparsity.base.markdown import markdown_table
from disparsity.report.schema import parse_report
from disparsity.run.folder import RECIPE_FILE

SCHEMA, VERSION = "disparsity.runs", 1
_LABELS = {
    "epe_px": "EPE [px]",
    "dense_epe_px": "EPE of the dense network [px]",
    "d1_percent": "D1 [%]",
    "packed_file_bytes": "packed file [bytes]",
    "effectual_macs": "effectual MACs",
    "mac_energy_pj": "energy of MACs [pJ]",
    "memory_energy_pj": "energy of memory [pJ]",
    "cycles": "cycles",
}
_ENDS = {
    "effectual_macs": ("operations", "effectual_macs"),
    "packed_file_bytes": ("memory", "packed_file_bytes"),
    "mac_energy_pj": ("hardware", "mac_energy_pj"),
    "memory_energy_pj": ("hardware", "memory_energy_pj"),
    "cycles": ("latency", "cycles"),
}


@dataclass(frozen=True)
class Comparison:
    """Figures and differing settings of several runs; printing it gives Markdown tables.

    Attributes:
        runs: for every run its name, the data that its error is measured on, and its figures (None is not known).
        settings: the settings that differ, each with one value per run, in the order of the runs.

    """

    runs: list[dict[str, Any]]
    settings: dict[str, list[Any]]

    def as_json(self) -> dict[str, Any]:
        """What `--json` writes."""
        return {"schema": SCHEMA, "version": VERSION, "runs": self.runs, "settings": self.settings}

    def __str__(self) -> str:
        header = ["", *(run["name"] for run in self.runs)]
        figures = [[label, *(_text(run[key]) for run in self.runs)] for key, label in _LABELS.items()]
        settings = [[key, *map(str, values)] for key, values in self.settings.items()]
        data = ["data", *(str(run["data"]) for run in self.runs)]
        return f"{markdown_table(header, [data, *figures])}\n\n{markdown_table(['setting', *header[1:]], settings)}"


def compare(
    *runs: str | Path | Run | Report | Mapping[str, Any], out: str | Path | None = None, names: Sequence[str] = ()
) -> Comparison:
    """Put accuracy, bytes, energy and cycles of runs side by side, with the settings that differ.

    Args:
        runs: two or more: folders of runs, folders or files with a report.json (as `cost` writes them), or what `run`
            and `cost` returned.
        out: a folder for comparison.json and comparison.md.
        names: of the columns, one per run; else folders give their names.

    Returns:
        the comparison, which prints as Markdown.

    Raises:
        InputError: fewer than two runs, or one without a report.
        CorruptArtefactError: a report is damaged.

    Example:
        >>> small = disparsity.cost("builtin:reference", "96x192", array=(8, 8))
        >>> large = disparsity.cost("builtin:reference", "96x192", array=(32, 32))
        >>> compared = disparsity.compare(small, large, names=["8x8", "32x32"])
        >>> compared.settings["machine.array"]
        [[8, 8], [32, 32]]

    """
    if len(runs) < 2 or len(names) not in (0, len(runs)):
        raise InputError("a comparison takes two or more runs", found=f"{len(runs)} runs, {len(names)} names")
    labels = list(names) or _labels(runs)
    reports = [_report_of(run) for run in runs]
    known = [_settings(run, report) for run, report in zip(runs, reports, strict=True)]
    shared = [key for key in known[0] if all(key in other for other in known)]
    columns = {key: [each[key] for each in known] for key in shared}
    found = Comparison(
        runs=[{"name": name, **_figures(report)} for name, report in zip(labels, reports, strict=True)],
        settings={key: values for key, values in columns.items() if any(value != values[0] for value in values)},
    )
    if out is not None:
        write_json(Path(out) / "comparison.json", found.as_json())
        write_text(Path(out) / "comparison.md", f"{found}\n")
    return found


def _report_of(run: object) -> Mapping[str, Any]:
    if isinstance(run, Mapping):
        return run
    if isinstance(run, Run):
        return run.report
    path = Path(str(run))
    places = [path] if path.is_file() else [path / "report" / "report.json", path / "report.json"]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise InputError("no report here", where=path, expected="a finished run, or a folder with report.json")
    return Report(parse_report(found.read_bytes(), found))


def _folder_of(run: object) -> Path | None:
    """Where a run or report lies; None for a report in memory."""
    if isinstance(run, Mapping):
        return None
    return run.folder if isinstance(run, Run) else Path(str(run))


def _labels(runs: Sequence[object]) -> list[str]:
    """Names of folders, or whole paths where two folders share a name; reports in memory are numbered."""
    paths = [_folder_of(run) or Path(f"report {number}") for number, run in enumerate(runs, start=1)]
    short = [path.resolve().name for path in paths]
    return short if len(set(short)) == len(short) else [str(path) for path in paths]


def _figures(report: Mapping[str, Any]) -> dict[str, Any]:
    rows = report["accuracy"]
    first = [row for row in rows if row["data"] == rows[0]["data"]]
    dense = next((row for row in first if row["stage"] == "dense"), None)
    last = first[-1] if first else {}
    return {
        "data": last.get("data"),
        "epe_px": last.get("epe_px"),
        "dense_epe_px": dense and dense["epe_px"],
        "d1_percent": last.get("d1_percent"),
        **{key: _compressed(report[section][field]) for key, (section, field) in _ENDS.items()},
    }


def _compressed(value: Any) -> Any:
    return value["compressed"] if isinstance(value, Mapping) else value


def _settings(run: object, report: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by dotted key: of the recipe where the run has one, of the report, of the machine."""
    plain = {key: value for key, value in report["settings"].items() if key != "seconds"}
    sections = {"report": plain, "network": report["network"], "machine": report.get("machine") or {}}
    found = {**dotted(sections), "profile": report["hardware"]["profile"]}
    path = (_folder_of(run) or Path()) / RECIPE_FILE
    recipe = tomllib.loads(path.read_text(encoding="utf-8")) if _folder_of(run) and path.is_file() else {}
    return {**dotted(recipe), **found}


def _text(value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
