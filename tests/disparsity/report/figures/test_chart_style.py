"""Parts that several charts share: bars with their figures, notes, axes and legends."""

from __future__ import annotations

from disparsity.report.figures.chart_style import add_legend, labelled_bars, log_axis, new_figure, note
from disparsity.report.numbers import bytes_text


def test_bars_run_from_top_to_bottom_with_their_figures() -> None:
    ax = new_figure(2.0).subplots()
    labelled_bars(ax, {"first": 1500, "second": 20}, ["red", "blue"], bytes_text)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["first", "second"]
    assert ax.yaxis_inverted()
    assert [text.get_text() for text in ax.texts] == ["1.50 kB", "20 B"]
    assert [bar.get_width() for bar in ax.patches] == [1500, 20]


def test_a_logarithmic_axis_holds_all_figures_with_ticks_in_words() -> None:
    figure = new_figure(2.0)
    ax = figure.subplots()
    log_axis(ax, "memory", bytes_text, [None, 2000, 500_000])
    low, high = ax.get_xlim()
    assert (ax.get_xscale(), ax.get_xlabel()) == ("log", "memory (logarithmic)")
    assert low == 1000
    assert high > 500_000
    assert ax.xaxis.get_major_formatter()(10_000, None) == "10 kB"


def test_one_legend_of_all_axes_and_none_without_labels() -> None:
    figure = new_figure(2.0)
    left, right = figure.subplots(1, 2)
    add_legend(figure, left, right)
    assert figure.legends == []
    left.plot([1], [1], label="a")
    right.plot([1], [1], label="b")
    add_legend(figure, left, right)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_a_note_is_small_unless_asked_otherwise() -> None:
    ax = new_figure(2.0).subplots()
    assert note(ax, "x", (0, 0), (1, 1)).get_fontsize() == 7
    assert note(ax, "x", (0, 0), (1, 1), fontsize=9).get_fontsize() == 9
