"""layers.csv: one row per executed layer call, one column per figure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from disparsity.hwcost.layer_table import LayerRow
from disparsity.report.columns import COLUMNS


def layers_csv(layers: Sequence[LayerRow]) -> str:
    """The layers as CSV text (RFC 4180 quoting, line feeds); a figure that is not known is an empty cell, never 0."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(getattr(layer, name)) for name in COLUMNS] for layer in layers)
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
