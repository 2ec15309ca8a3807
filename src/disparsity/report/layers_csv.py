"""layers.csv: one row per executed layer call, one column per figure that any layer has."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any


def column_names(layers: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of all layers, each where it is first seen, so that the order is stable."""
    return list(dict.fromkeys(name for layer in layers for name in layer))


def layers_csv(layers: Sequence[Mapping[str, Any]]) -> str:
    """The layers as CSV text (RFC 4180 quoting, line feeds); a null or absent figure is an empty cell, never 0."""
    text = io.StringIO()
    names = column_names(layers)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(layer.get(name)) for name in names] for layer in layers)
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
