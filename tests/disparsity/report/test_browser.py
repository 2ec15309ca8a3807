"""The page in a real browser: a silent console, sorting, hidden columns, and a PDF; skipped without Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from disparsity.report.columns import GROUPS
from disparsity.report.html import render_html
from disparsity.report.report import Report

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")]
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr", "--v=0",
)  # fmt: skip

PROBE = """
<script>
const table = document.querySelector("table.sortable");
const heads = [...table.tHead.rows[0].cells];
const column = (label) => heads.findIndex((head) => head.textContent.startsWith(label));
const texts = (label) => [...table.tBodies[0].rows].map((row) => row.cells[column(label)].textContent);
const click = (label) => { heads[column(label)].querySelector("button").click(); return texts(label); };
const shown = (label) => getComputedStyle(heads[column(label)]).display !== "none";
const found = { rising: click("DRAM traffic [B]"), falling: click("DRAM traffic [B]"), names: click("layer") };
found.cycles = click("cycles");
found.before = [shown("DRAM traffic"), shown("lane utilization")];
for (const group of [TRAFFIC, SPARSE]) document.querySelector(`[data-group="${group}"]`).click();
found.after = [shown("DRAM traffic"), shown("lane utilization")];
heads[column("cycles")].querySelector("button").dispatchEvent(new Event("mouseenter"));
found.tip = [document.getElementById("tip").hidden, document.getElementById("tip").textContent];
window.dispatchEvent(new Event("beforeprint"));
found.printed = [...document.querySelectorAll("#printed-layers table")].map((each) => each.caption.textContent);
window.dispatchEvent(new Event("afterprint"));
found.left = document.querySelectorAll("#printed-layers table").length;
const answer = document.createElement("pre");
answer.id = "answer";
answer.textContent = JSON.stringify(found);
document.body.append(answer);
</script>
</body>
"""


def browse(page: Path, *arguments: str) -> tuple[str, str]:
    """Standard output and error of the browser on a page, with a profile of its own."""
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={page.parent / 'profile'}", *arguments, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    return done.stdout, done.stderr


@pytest.fixture
def page(tmp_path: Path, report: Report) -> Path:
    path = tmp_path / "report.html"
    path.write_text(render_html(report, [], []), encoding="utf-8")
    return path


def test_sorting_hiding_and_printing_work_without_a_word_on_the_console(page: Path, report: Report) -> None:
    numbers = {"TRAFFIC": str(list(GROUPS).index("traffic")), "SPARSE": str(list(GROUPS).index("sparse execution"))}
    probe = re.sub("TRAFFIC|SPARSE", lambda match: numbers[match[0]], PROBE)
    page.write_text(page.read_text(encoding="utf-8").replace("</body>", probe), encoding="utf-8")
    dom, errors = browse(page, "--dump-dom")
    assert "CONSOLE" not in errors
    match = re.search(r'<pre id="answer">(.*?)</pre>', dom, re.DOTALL)
    assert match is not None
    found = json.loads(unescape(match[1]))
    figures = [float(text.replace(",", "")) for text in found["rising"]]
    assert figures == sorted(figures)
    assert found["falling"] == found["rising"][::-1]
    assert found["names"] == sorted(layer.name for layer in report.layers)
    assert found["cycles"][-1] == "–"  # what is not known stays at the end
    assert (found["before"], found["after"]) == ([True, False], [False, True])
    assert found["tip"][0] is False
    assert "plain array" in found["tip"][1]
    assert "traffic" in found["printed"]
    assert found["left"] == 0


def test_the_page_prints_to_a_pdf_of_several_pages(page: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.pdf"
    _, errors = browse(page, f"--print-to-pdf={target}", "--no-pdf-header-footer")
    assert "CONSOLE" not in errors
    content = target.read_bytes()
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", content)) > 3
