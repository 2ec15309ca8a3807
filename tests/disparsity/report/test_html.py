"""The page as a parser sees it: self-contained, escaped, honest about what is not known."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from disparsity.report.columns import COLUMNS, GROUPS
from disparsity.report.html import Picture, layer_cell, render_html
from disparsity.report.report import Report

Read = Callable[[dict[str, Any]], Report]
PICTURE = Picture(kind="png", content=b"\x89PNG", alt='a "pair"', caption="caption")
VOID = {"meta", "link", "img", "br", "input"}


class Page(HTMLParser):
    """Collects elements and text, and checks that every element that opens is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script") and data.strip():
            self.words.append(data.strip())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_nothing_is_fetched_from_elsewhere(report: Report) -> None:
    text = render_html(report, [PICTURE], [PICTURE])
    for tag, attributes in Page(text).elements:
        for name in ("src", "href", "data", "action", "srcset"):
            address = attributes.get(name)
            assert address is None or address.startswith(("#", "data:")), (tag, address)
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text
    assert not re.search(r"url\(", text)
    assert "default-src 'none'" in text


def test_pictures_are_embedded_and_described(report: Report) -> None:
    images = Page(render_html(report, [PICTURE], [])).named("img")
    assert len(images) == 1
    assert images[0]["alt"] == 'a "pair"'
    source = images[0]["src"]
    assert source is not None
    assert base64.b64decode(source.removeprefix("data:image/png;base64,")) == b"\x89PNG"


def test_script_in_any_text_is_shown_and_not_run(stored: dict[str, Any], read: Read) -> None:
    attack = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
    plain = len(Page(render_html(read(stored), [PICTURE], [])).named("script"))
    stored["network"]["name"] = stored["settings"]["score"] = stored["hardware"]["profile"] = attack
    stored["memory"]["best_format"] = stored["accuracy"][0]["data"] = attack
    stored["coverage"]["unmodelled"] = [attack]
    stored["layers"][0]["name"] = attack
    page = Page(render_html(read(stored), [Picture(kind="png", content=b"", alt=attack, caption=attack)], []))
    assert len(page.named("script")) == plain == 1
    assert len(page.named("img")) == 1
    assert all("onerror" not in attributes for _, attributes in page.elements)
    assert attack in page.words


def test_an_empty_report_prints_not_known(empty: Report) -> None:
    page = Page(render_html(empty, [], []))
    assert page.words.count("not known") > 30
    assert not {"0", "0.00 %", "None", "nan"} & set(page.words)
    assert page.named("img") == []


def test_the_layer_table_sorts_by_buttons_with_formulas(report: Report) -> None:
    page = Page(render_html(report, [], []))
    buttons = {attributes.get("data-tip") for attributes in page.named("button")}
    assert "weights × weight uses, plus the products of parts without weights" in buttons
    assert COLUMNS["dram_bytes"].explanation in buttons
    assert all(attributes["type"] == "button" for attributes in page.named("button"))
    described = [a["aria-describedby"] for a in page.named("button") if "aria-describedby" in a]
    identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert set(described) <= set(identifiers)
    assert len(identifiers) == len(set(identifiers))
    assert len([a for a in page.named("th") if a.get("aria-sort") == "none"]) == len(COLUMNS)


def test_columns_come_in_groups_that_can_be_hidden(report: Report) -> None:
    text = render_html(report, [], [])
    page = Page(text)
    boxes = {box["data-group"]: "checked" in box for box in page.named("input") if "data-group" in box}
    classes = {str(head["class"]) for head in page.named("th") if "aria-sort" in head}
    assert {f"g{number}" for number in boxes} | {"g0"} == classes
    assert all(f".without-{number} .g{number} {{ display: none; }}" in text for number in boxes)
    assert boxes[str(list(GROUPS).index("traffic"))]
    assert not boxes[str(list(GROUPS).index("sparse execution"))]


def test_a_row_without_weights_is_marked(report: Report) -> None:
    bare = replace(report.layers[0], name="volume", weight_count=0)
    page = Page(render_html(replace(report, layers=(*report.layers, bare)), [], []))
    assert [row for row in page.named("tr") if row.get("class") == "bare"] == [{"class": "bare"}]


@pytest.mark.parametrize(
    ("value", "column", "text", "number"),
    [(None, "cycles", "–", None), (0, "nnz", "0", 0.0), (94.998, "sparsity_percent", "95.00", 94.998),
     ("csr", "best_format", "csr", None), (True, "x", "yes", None)],
)  # fmt: skip
def test_cells(value: Any, column: str, text: str, number: float | None) -> None:
    cell = layer_cell(value, column)
    assert (cell.text, cell.number) == (text, number)


def test_headline_settings_coverage_and_version_are_there(report: Report) -> None:
    text = " ".join(Page(render_html(report, [], [], panels_left_out=0)).words)
    for words in (
        "−97.66 %",
        "×1.35",
        "reconstruct",
        "profile horowitz45",
        "99.98 % of MACs",
        "not known of bytes",
        "buffer 128 KiB",
        "version 1",
        "1,290.4",
    ):
        assert words in text
