"""The table of readers is complete and consistent."""

from __future__ import annotations

from dataclasses import fields

import pytest

from disparsity.datasets.readers.registry import READERS
from disparsity.registries import summaries


def test_the_schemes_are_those_of_the_interface():
    schemes = {"sceneflow", "kitti2012", "kitti2015", "middlebury", "eth3d", "folder", "list", "synthetic", "packed"}
    assert set(READERS) == schemes


@pytest.mark.parametrize("scheme", READERS)
def test_options_fill_existing_settings_and_the_example_uses_known_ones(scheme):
    reader = READERS[scheme]
    filled = [name for option in reader.options.values() for name in option.fields]
    named = {field.name for field in fields(reader.settings)} - {"path"}
    assert sorted(filled) == sorted(named)
    head, _, query = summaries("data")[scheme].partition("?")
    assert head.startswith(f"{scheme}:")
    assert {part.partition("=")[0] for part in query.split("&") if part} <= set(reader.options)
