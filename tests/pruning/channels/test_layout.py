"""Where channels lie in weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from disparsity.pruning.channels.layout import kept_places, layout_of, layouts

LAYERS: dict[str, tuple[nn.Module, list[int], list[int], list[int], list[int]]] = {
    "convolution": (nn.Conv2d(2, 3, 1), [5, 6], [7, 8, 9], [7, 8, 9], [5, 6]),
    "linear": (nn.Linear(2, 3), [5, 6], [7, 8, 9], [7, 8, 9], [5, 6]),
    "transposed": (nn.ConvTranspose2d(2, 3, 1), [5, 6], [7, 8, 9], [5, 6], [7, 8, 9]),
    "depthwise": (nn.Conv2d(2, 4, 1, groups=2), [5, 6], [5, 5, 6, 6], [5, 5, 6, 6], [-1]),
    "depthwise, transposed": (nn.ConvTranspose2d(2, 4, 1, groups=2), [5, 6], [5, 5, 6, 6], [5, 6], [-1, -1]),
    "grouped": (nn.Conv2d(4, 6, 1, groups=2), [5, 6, 5, 6], [7, 8, 9] * 2, [7, 8, 9] * 2, [5, 6]),
    "grouped, transposed": (nn.ConvTranspose2d(4, 6, 1, groups=2), [5, 6, 5, 6], [7, 8, 9] * 2, [5, 6] * 2, [7, 8, 9]),
}


@pytest.mark.parametrize("name", LAYERS)
def test_rows_and_columns(name: str, hand_made: Any) -> None:
    layer, inputs, outputs, rows, columns = LAYERS[name]
    found = layout_of(layer, hand_made(outputs={"a": outputs}, inputs={"a": inputs}, units=10), "a")
    assert found.columns is not None
    assert (found.rows.tolist(), found.columns.tolist(), found.outputs.tolist()) == (rows, columns, outputs)
    assert layer.weight.shape[:2] == (len(rows), len(columns))


def test_every_layer_of_the_coupling(network: nn.Module, coupling: Any) -> None:
    found = layouts(network, coupling)
    assert list(found) == ["enter", "inner", "outer", "last", "norm"]
    assert found["norm"].columns is None


def test_kept_places() -> None:
    removed = torch.tensor([True, False])
    assert kept_places(torch.tensor([0, 1, -1, 0]), removed).tolist() == [False, True, True, False]
    assert kept_places(torch.tensor([-1, -1]), removed[:0]).tolist() == [True, True]
