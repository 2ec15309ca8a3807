"""Schema of report.json: the checker of stored reports and the published JSON schema, made from the dataclasses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from disparsity.base.errors import CorruptArtefactError
from disparsity.report.report import Report


@cache
def _adapter() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


def parse_report(text: str | bytes, where: str | Path = "report") -> Report:
    """A stored report; fields that this version does not know are left out.

    Raises:
        CorruptArtefactError: a field is missing, or holds what its type does not allow; names the field.

    """
    try:
        return _adapter().validate_json(text, strict=True)
    except ValidationError as error:
        raise _worded(error, str(where)) from error


def as_json(report: Report) -> dict[str, Any]:
    """The fields of report.json; bytes after the stages are left out where there were no stages."""
    found: dict[str, Any] = _plain(report)
    if report.memory.stage_bytes is None:
        del found["memory"]["stage_bytes"]
    return found


def report_text(report: Report) -> str:
    """report.json as text.

    Raises:
        CorruptArtefactError: a figure is not finite, or outside the limits of its field.

    """
    text = json.dumps(as_json(report), indent=2) + "\n"
    parse_report(text)
    return text


def json_schema() -> dict[str, Any]:
    """The JSON schema of report.json, as published in docs/report.schema.json."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_adapter().json_schema()}


def _plain(value: Any) -> Any:
    """Objects for dataclasses, lists for tuples."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _worded(error: ValidationError, where: str) -> CorruptArtefactError:
    """The first of the errors in one line."""
    first = error.errors(include_url=False)[0]
    if not first["loc"]:
        return CorruptArtefactError("not a report", where=where, found=first["msg"])
    *parents, last = first["loc"]
    expected = first["msg"].removeprefix("Input should be ")
    if first["type"] != "missing":
        parents = list(first["loc"])
    elif isinstance(last, str):
        remedy = "write null where a figure is not known"
        return CorruptArtefactError(f"the field {last!r} is missing", where=where + _path(parents), remedy=remedy)
    else:
        expected = "more entries"
    found = repr(first["input"])[:80]
    return CorruptArtefactError(
        "the field has a wrong value", where=where + _path(parents), found=found, expected=expected
    )


def _path(parts: Sequence[int | str]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
