"""Pictures of masks: every weight in its place, shares of kernels, and nothing where nothing was removed."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import PowerNorm

from disparsity.report.figures.mask_figures import MOST_LAYERS, channel_maps, kept_share, tiled, weight_masks
from disparsity.report.figures.rendering import png_bytes, svg_bytes


def mask_of(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).random(shape) < 0.4


@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (2, 5, 1, 4), (3, 2, 2, 3, 4)])
def test_every_weight_has_its_tile(shape: tuple[int, ...]) -> None:
    mask = mask_of(*shape)
    image = tiled(mask)
    rows, columns = shape[-2], shape[-1] * (shape[2] if len(shape) == 5 else 1)
    assert image.shape == (shape[0] * rows, shape[1] * columns)
    for output in range(shape[0]):
        for source in range(shape[1]):
            tile = image[output * rows : (output + 1) * rows, source * columns : (source + 1) * columns]
            planes = [mask[output, source]] if len(shape) == 4 else list(mask[output, source])
            assert np.array_equal(tile, np.hstack(planes))


def test_a_linear_layer_is_its_matrix() -> None:
    mask = mask_of(3, 7)
    assert np.array_equal(tiled(mask), mask)
    assert np.array_equal(kept_share(mask), mask)


def test_the_share_of_a_kernel_is_counted() -> None:
    mask = np.zeros((2, 2, 3, 3), dtype=bool)
    mask[0, 1, :, 0] = mask[1, 0] = True
    assert kept_share(mask).tolist() == [[0.0, pytest.approx(3 / 9)], [1.0, 0.0]]


@pytest.mark.parametrize("draw", [channel_maps, weight_masks])
def test_nothing_is_drawn_where_nothing_was_removed(draw) -> None:
    assert draw({}) is None
    assert draw({"conv": np.ones((2, 2, 3, 3), dtype=bool)}) is None


def test_all_layers_share_one_scale_and_repeat_their_bytes() -> None:
    masks = {"a": mask_of(4, 4, 3, 3), "b.of.a.very.long.path.conv2d": mask_of(2, 2, 3, 3, 3)}
    first, second = channel_maps(masks), channel_maps(masks)
    assert first is not None
    assert second is not None
    norms = [image.norm for image in first.axes[0].get_images()]
    assert len(norms) == 2
    assert all(isinstance(norm, PowerNorm) and (norm.vmin, norm.vmax) == (0.0, 100.0) for norm in norms)
    titles = [text.get_text() for text in first.axes[0].texts]
    assert titles[0] == f"a\n4×4×3×3: {100 * masks['a'].mean():.1f} %"
    assert titles[1].startswith("…")
    assert svg_bytes(first) == svg_bytes(second)
    assert png_bytes(first) == png_bytes(second)


def test_layers_beyond_the_figure_are_counted() -> None:
    figure = weight_masks({f"layer{index}": mask_of(1, 2, 1, 1) for index in range(MOST_LAYERS + 3)})
    assert figure is not None
    assert len(figure.axes[0].get_images()) == MOST_LAYERS
    assert f"the first {MOST_LAYERS} of {MOST_LAYERS + 3} layers" in [text.get_text() for text in figure.texts]
