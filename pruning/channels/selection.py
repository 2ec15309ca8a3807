"""Channel selection: the units with the lowest scores of the whole network are removed; no layer is emptied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from disparsity.base.errors import DivergedError
from disparsity.pruning.channels.layout import Layout

Families = Sequence[Sequence[Sequence[int]]]


def select_units(
    found: Mapping[str, Layout],
    shapes: Mapping[str, torch.Size],
    scores: Tensor,
    density: float,
    floor_fraction: float,
    balanced: Families = (),
) -> Tensor:
    """Remove the units of lowest score, one after the other, until few enough weights are left.

    Units of one balanced family go together by rank: the lowest of every group, then the second lowest of every group.

    Args:
        found: layouts of all layers that units lie in.
        shapes: of the weights that are counted, by layer.
        scores: ``[units]``, higher is more important.
        density: fraction of the counted weights that is left at most, 0..1, unless the floors forbid it.
        floor_fraction: of its output channels, what every layer keeps; one at least.
        balanced: see `Coupling`.

    Returns:
        ``[units]`` bool, true for removed units.

    Raises:
        DivergedError: a score is not finite.

    """
    if not bool(torch.isfinite(scores).all()):
        raise DivergedError("channel scores are not finite", remedy="lower the learning rate")
    count = _Count(found, shapes, floor_fraction)
    most = density * count.weights
    removed = torch.zeros(len(scores), dtype=torch.bool)
    for together in _candidates(scores, balanced):
        if count.weights <= most:
            break
        if count.can_lose(together):
            count.lose(together)
            removed[together] = True
    return removed


def _candidates(scores: Tensor, balanced: Families) -> Iterable[list[int]]:
    """Units that go together, the least important first; of equal scores the first numbers go first."""
    values = scores.tolist()
    ranked = [[sorted(group, key=values.__getitem__) for group in family] for family in balanced]
    together = [list(rank) for family in ranked for rank in zip(*family, strict=True)]
    tied = {unit for units in together for unit in units}
    together += [[unit] for unit in range(len(values)) if unit not in tied]
    return sorted(together, key=lambda units: sum(values[unit] for unit in units) / len(units))


@dataclass
class _Layer:
    """How many places are left on a weight's axes and among the output channels, and how many must be."""

    rows: int
    columns: int
    kernel: int
    outputs: int
    floor: int

    @property
    def weights(self) -> int:
        return self.rows * self.columns * self.kernel


class _Count:
    """The weights that are left, kept up to date from unit to unit."""

    def __init__(self, found: Mapping[str, Layout], shapes: Mapping[str, torch.Size], floor_fraction: float) -> None:
        self._layers = {name: _layer(layout, shapes.get(name), floor_fraction) for name, layout in found.items()}
        self._places = _places(found)
        self.weights = sum(layer.weights for layer in self._layers.values())

    def can_lose(self, units: Sequence[int]) -> bool:
        """Whether every layer keeps its floor."""
        lost: dict[str, int] = {}
        for unit in units:
            for name, (_, _, outputs) in self._places.get(unit, {}).items():
                lost[name] = lost.get(name, 0) + outputs
        return all(self._layers[name].outputs - n >= self._layers[name].floor for name, n in lost.items() if n)

    def lose(self, units: Sequence[int]) -> None:
        """Count these units out."""
        for unit in units:
            for name, (rows, columns, outputs) in self._places.get(unit, {}).items():
                layer = self._layers[name]
                self.weights -= layer.weights
                layer.rows, layer.columns, layer.outputs = (
                    layer.rows - rows,
                    layer.columns - columns,
                    layer.outputs - outputs,
                )
                self.weights += layer.weights


def _layer(layout: Layout, shape: torch.Size | None, floor_fraction: float) -> _Layer:
    outputs = len(layout.outputs)
    columns = 1 if layout.columns is None else len(layout.columns)
    kernel = 0 if shape is None else shape.numel() // (len(layout.rows) * columns)
    return _Layer(len(layout.rows), columns, kernel, outputs, max(1, round(floor_fraction * outputs)))


def _places(found: Mapping[str, Layout]) -> dict[int, dict[str, tuple[int, int, int]]]:
    """By unit and layer, how many rows, columns and output channels of the layer belong to the unit."""
    places: dict[int, dict[str, tuple[int, int, int]]] = {}
    for name, layout in found.items():
        for axis, units in enumerate((layout.rows, layout.columns, layout.outputs)):
            for unit in [] if units is None else units[units >= 0].tolist():
                old = list(places.setdefault(unit, {}).get(name, (0, 0, 0)))
                old[axis] += 1
                places[unit][name] = (old[0], old[1], old[2])
    return places
