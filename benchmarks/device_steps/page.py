"""The measurements as a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardware.markdown import table

from device_steps.cases import Case

WORDS = {
    "train": "a training step",
    "score": "a batch of a score pass",
    "quantized": "a training step behind quantizers (W4 A8)",
    "reconstruct": "a reconstruction of all layers, one pair",
}


def page(found: Mapping[Case, dict[str, Any]], device: str) -> list[str]:
    """Markdown from measurements by case."""
    return [
        f"# Steps on {device}",
        "",
        ("Processor time" if device == "cpu" else "Time")
        + " is the median over steps after the first; memory is the peak of "
        + ("the whole process, every case in one of its own. " if device == "cpu" else "what torch has allocated. ")
        + "Ratios are to the base of the same task: float32, channels last, nothing recomputed, whole batches. "
        "Weights and data are random; the last column is the machine's load average before a case.",
        "",
        *table(
            ("network", "crop", "pairs", "what", "setting", "ms", "x", "peak MB", "x", "load"),
            [_row(case, result, found.get(case.base)) for case, result in found.items()],
        ),
    ]


def _row(case: Case, result: Mapping[str, Any], base: Mapping[str, Any] | None) -> tuple[object, ...]:
    place = (case.network, f"{case.size[0]}x{case.size[1]}", case.batch, WORDS[case.task], case.setting)
    if "error" in result:
        return (*place, result["error"], "", "", "", "")

    def ratio(name: str) -> str:
        return f"{result[name] / base[name]:.2f}" if base and "error" not in base else "?"

    return (
        *place,
        f"{result['ms']:.1f}",
        ratio("ms"),
        f"{result['peak_mb']:.0f}",
        ratio("peak_mb"),
        f"{result['load'][0]:.1f}",
    )
