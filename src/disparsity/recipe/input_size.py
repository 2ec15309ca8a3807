"""Input size at which costs are counted."""

from __future__ import annotations

from disparsity.base.errors import InputError
from disparsity.datasets.uri import open_data
from disparsity.recipe.recipe import Recipe
from disparsity.recipe.size import parse_size


def report_size(recipe: Recipe) -> tuple[int, int]:
    """The input size at which costs are counted: the recipe's, or that of the first test pair.

    Raises:
        InputError: the recipe has neither.

    """
    if recipe.report.size:
        return parse_size(recipe.report.size, "report.size")
    if not recipe.data.test:
        raise InputError("no input size to count costs at", where="report.size", remedy="set it, or name test data")
    height, width = open_data(recipe.data.test[0])[0].disparity.shape
    return height, width
