"""Which lines of a parser the mutated files reach."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from campaign.fuzzing import one
from campaign.targets import TARGETS

ROOT = Path(__file__).resolve().parents[3]


def coverage(name: str, inputs: int, folder: Path) -> dict[str, Any]:
    """Lines inside functions of a target's files that were run by so many inputs."""
    target = TARGETS[name]
    scratch = folder / name
    scratch.mkdir(parents=True, exist_ok=True)
    seeds = target.seeds(scratch)
    wanted = {str((ROOT / source).resolve()): source for source in target.sources}
    seen: dict[str, set[int]] = {source: set() for source in target.sources}

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        source = wanted.get(str(Path(frame.f_code.co_filename).resolve()))
        if source is None:
            return None
        seen[source].add(frame.f_lineno)
        return trace

    sys.settrace(trace)
    try:
        for index in range(inputs):
            one(target, seeds, f"{name} lines {index}", scratch / "input")
    finally:
        sys.settrace(None)
    return {source: _share(ROOT / source, lines) for source, lines in seen.items()}


def _share(path: Path, seen: set[int]) -> dict[str, Any]:
    lines = set(_lines(compile(path.read_text(encoding="utf-8"), str(path), "exec")))
    return {"lines": len(lines), "run": len(lines & seen), "missing": sorted(lines - seen)}


def _lines(code: CodeType) -> Iterator[int]:
    """The lines of all functions in a module."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_name[0] != "<" and constant.co_flags & 2:  # functions, not classes
                yield from {line for _, _, line in constant.co_lines() if line and line != constant.co_firstlineno}
            yield from _lines(constant)
