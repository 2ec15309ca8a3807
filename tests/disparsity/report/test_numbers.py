"""Figures as text at values worked out by hand."""

from __future__ import annotations

import pytest

from disparsity.report import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (999, "999 B"), (1536, "1.54 kB"), (58_432, "58.4 kB"), (2_500_000, "2.50 MB"), (3.2e9, "3.20 GB")],
)
def test_bytes_are_decimal(value: float, text: str) -> None:
    assert numbers.bytes_text(value) == text


def test_energy_area_and_counts_choose_their_unit() -> None:
    assert numbers.energy_text(4.6) == "4.60 pJ"
    assert numbers.energy_text(73_000_000) == "73.0 µJ"
    assert numbers.area_text(11_884) == "11,884 µm²"
    assert numbers.area_text(2_500_000) == "2.50 mm²"
    assert numbers.count_text(4_718_592) == "4.72 M"
    assert numbers.count_text(7) == "7"


@pytest.mark.parametrize(
    ("reduction", "text"),
    [(97.659, "−97.66 %"), (-5.0, "+5.00 %"), (0.0, "0.00 %"), (-0.001, "0.00 %"), (99.9996, "−99.9996 %"),
     (100.0, "−100.00 %"), (99.997, "−99.997 %")],
)  # fmt: skip
def test_a_reduction_is_a_signed_change_and_never_rounds_up_to_all(reduction: float, text: str) -> None:
    assert numbers.change_text(reduction) == text


def test_what_is_not_known_is_never_zero() -> None:
    texts = [numbers.bytes_text, numbers.count_text, numbers.energy_text, numbers.area_text, numbers.percent_text]
    for text in [*texts, numbers.change_text, numbers.pixels_text, numbers.exact_text]:
        assert text(None) == "not known"
    assert numbers.ratio_text(None, 1.0) == numbers.ratio_text(0.0, 1.0) == "not known"
    assert numbers.milliseconds_text(None) == "not known"


def test_exact_cells() -> None:
    assert numbers.exact_text(19_584_000) == "19,584,000"
    assert numbers.exact_text([32, 3, 5, 5]) == "32×3×5×5"
    assert numbers.exact_text(3.0) == "3"
    assert numbers.exact_text(0.123456) == "0.12346"
    assert numbers.exact_text(1_129_412.7) == "1,129,413"
    assert numbers.exact_text(True) == "yes"


def test_capacities_are_binary_where_they_are_whole() -> None:
    texts = [numbers.capacity_text(size) for size in (131_072, 3 << 20, 1 << 30, 65_000, None)]
    assert texts == ["128 KiB", "3 MiB", "1 GiB", "65.0 kB", "not known"]
