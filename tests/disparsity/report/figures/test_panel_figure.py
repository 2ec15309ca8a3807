"""The figure of a pair: what its panels hold, and that nothing global is touched."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib._pylab_helpers import Gcf

from disparsity.report.figures.panel_figure import draw_panels
from disparsity.stereo.drawing import colour_disparity


@pytest.fixture
def pair() -> dict[str, np.ndarray]:
    truth = np.full((20, 30), 10.0, np.float32)
    dense = truth + 1.0
    compressed = truth.copy()
    compressed[:10] += 4.0
    left = np.zeros((20, 30, 3), np.uint8)
    return {"left": left, "truth": truth, "valid": np.ones((20, 30), bool), "dense": dense, "compressed": compressed}


def test_titles_state_epe_and_d1(pair: dict[str, np.ndarray]) -> None:
    titles = [ax.get_title(loc="left") for ax in draw_panels(**pair).axes]
    assert "dense: EPE 1.00 px, D1 0.0 %" in titles
    # Half of the pixels are off by 4 px, which is more than 3 px and more than 5 % of 10 px.
    assert "compressed: EPE 2.00 px, D1 50.0 %" in titles


def test_all_disparity_panels_share_the_scale_of_the_truth(pair: dict[str, np.ndarray]) -> None:
    axes = {ax.get_title(loc="left").split(":")[0]: ax for ax in draw_panels(**pair).axes}
    for name, key in (("ground truth", "truth"), ("dense", "dense"), ("compressed", "compressed")):
        np.testing.assert_array_equal(axes[name].images[0].get_array(), colour_disparity(pair[key], 10.0))


def test_a_missing_estimate_is_wrong_by_the_whole_truth(pair: dict[str, np.ndarray]) -> None:
    pair["dense"][:] = np.nan
    titles = [ax.get_title(loc="left") for ax in draw_panels(**pair).axes]
    assert "dense: EPE 10.00 px, D1 100.0 %" in titles


def test_nothing_valid_is_said_and_not_shown_as_zero(pair: dict[str, np.ndarray]) -> None:
    pair["valid"][:] = False
    titles = [ax.get_title(loc="left") for ax in draw_panels(**pair).axes]
    assert "dense: no valid pixel" in titles


@pytest.mark.parametrize(("height", "width", "columns"), [(20, 30, 3), (10, 40, 2)])
def test_wide_images_are_stacked_and_every_panel_keeps_its_proportions(height: int, width: int, columns: int) -> None:
    maps = {name: np.ones((height, width), np.float32) for name in ("truth", "dense", "compressed")}
    figure = draw_panels(np.zeros((height, width, 3), np.uint8), valid=np.ones((height, width), bool), **maps)
    boxes = [ax.get_position() for ax in figure.axes[:6]]
    assert len({round(box.x0, 6) for box in boxes}) == columns
    size = figure.get_size_inches()
    for box in boxes:
        assert box.width * size[0] / (box.height * size[1]) == pytest.approx(width / height)


def test_pyplot_does_not_know_the_figure(pair: dict[str, np.ndarray]) -> None:
    before = list(Gcf.figs)
    draw_panels(**pair)
    assert list(Gcf.figs) == before
