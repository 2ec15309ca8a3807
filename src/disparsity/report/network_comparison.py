"""Comparison of networks as Markdown: their figures side by side, and the cheapest one under every profile."""

from __future__ import annotations

from dataclasses import fields

from disparsity.base.markdown import markdown_table
from disparsity.hwcost.models.comparison import ComparedNetwork, Comparison
from disparsity.hwcost.models.machine import MachineSection
from disparsity.hwcost.models.quantities import UNKNOWN

_VERDICTS = {
    True: "changes between profiles",
    False: "is the same under every profile",
    None: "rests on one profile at most",
}


def comparison_markdown(found: Comparison) -> str:
    """Two tables, and one line per figure on whether the profiles agree."""
    names = [one.name for one in found.networks]
    figures = [each.name for each in fields(ComparedNetwork) if each.name != "name"]
    networks = [[figure, *(_text(getattr(one, figure)) for one in found.networks)] for figure in figures]
    profiles = [
        [row.profile, row.figure, *(_text(row.values[name]) for name in names), row.cheapest or UNKNOWN]
        for row in found.profiles
    ]
    parts = [
        f"Input {found.input_size[0]}x{found.input_size[1]}, {_machine(found.machine)}, profile {found.profile}.",
        markdown_table(["", *names], networks),
        markdown_table(["profile", "figure", *names, "cheapest"], profiles),
        "Which network is cheapest:",
        "\n".join(_verdict(found, figure, changes) for figure, changes in found.conclusion_changes.items()),
    ]
    return "\n\n".join(parts)


def _verdict(found: Comparison, figure: str, changes: bool | None) -> str:
    """Whether the profiles agree on the cheapest network, and which one each of them names."""
    known = {row.profile: row.cheapest for row in found.profiles if row.figure == figure and row.cheapest is not None}
    detail = ", ".join(f"{profile}: {cheapest}" for profile, cheapest in known.items())
    return f"- {figure}: the conclusion {_VERDICTS[changes]}" + (f" ({detail})" if detail else "")


def _machine(machine: MachineSection) -> str:
    array = "x".join(map(str, machine.array or ()))
    return (
        f"{array} array, {machine.dataflow}, buffer {machine.buffer_bytes:,} B, "
        f"DRAM {machine.dram_bytes_per_cycle:g} B per cycle, {machine.lanes} lanes"
    )


def _text(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
