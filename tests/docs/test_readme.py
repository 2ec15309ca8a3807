"""The README: its commands are run with a tiny network, its figures are those of the committed results."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from disparsity.cli import main, parser
from disparsity.datasets.decoders.images import write_rgb
from disparsity.recipe.recipe import load_recipe

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
import readme_figure  # noqa: E402

README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = ROOT / "benchmarks" / "results"
BLOCKS = re.findall(r"^```\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
LINES = [shlex.split(line, comments=True) for block in BLOCKS for line in block.splitlines()]
COMMANDS = [words[1:] for words in LINES if words[0] == "disparsity"]
OURS = "runs/mine"
NOT_RUN = ("demo", "run recipes/demo.toml", "sweep", "report", "export runs/mine/stages/03-quantize --format openvino")
"""Commands that take minutes, or that tests of their own run: here the parser and the recipe take them, and no more."""

SCENES = "synthetic:?pairs=2&size=32x64&max_disparity=16"
TINY = [
    "network.name=reference", "data.batch=1", "data.crop=", "data.calibration_crop=", "prune.events=1",
    "prune.mode.pairs=1", "prune.mode.positions=200", "prune.score.pairs=1", "prune.score.positions=200",
    "finetune.steps=1", "quantize.layer_bits=[]",
    "quantize.weight_bits=4", "quantize.activation_bits=8", "quantize.calibration_pairs=1",
    "quantize.rounding.positions=200", "report.pictures=0", "report.size=32x64", "threads=1",
]  # fmt: skip


def tiny(words: list[str], checkpoint: Path) -> list[str]:
    """The same command for a tiny network, two scenes, and small images."""
    swaps = {"CHECKPOINT": str(checkpoint), "runs/demo": OURS, "stereonet": "reference"}
    words = [swaps.get(word, word) for word in words]
    words = [word.replace("=CHECKPOINT", f"={checkpoint}") for word in words]
    words = [re.sub(r"(kitti20\d\d:DIR|synthetic:$)", SCENES, word) for word in words]
    words = [re.sub(r"^\d+x\d{3}$", "32x64", word) for word in words]
    return words + [text for change in TINY for text in ("--set", change)] if words[0] == "run" else words


def is_run(words: list[str]) -> bool:
    return not " ".join(words).startswith(NOT_RUN)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    """A folder as a checkout looks from inside: recipes, two images, and a tiny checkpoint."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "recipes", folder / "recipes")
    images = np.random.default_rng(0).integers(0, 255, (2, 32, 64, 3), dtype=np.uint8)
    write_rgb(folder / "left.png", images[0])
    write_rgb(folder / "right.png", images[1])
    shutil.copytree(checkpoint, folder / "tiny")
    return folder


def test_it_is_one_screen_with_three_times_five_lines() -> None:
    assert len(README.splitlines()) < 90
    assert [len(block.splitlines()) for block in BLOCKS] == [2, 5, 5, 5]
    assert len(COMMANDS) == 14


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_parser_takes_every_command(words: list[str]) -> None:
    arguments = parser().parse_args(words)
    assert callable(arguments.run)


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[0] in ("run", "sweep")], ids=" ".join)
def test_the_recipes_take_the_changes(words: list[str]) -> None:
    arguments = parser().parse_args(words)
    recipe = load_recipe(ROOT / arguments.recipe, arguments.set)
    for change in arguments.set:
        key, _, value = change.partition("=")
        found = recipe
        for name in key.split("."):
            found = getattr(found, name)
        assert value in (str(found), getattr(found, "name", None)) or list(found) == eval(value)


def test_do_takes_its_two_commands() -> None:
    text = (ROOT / "do").read_text(encoding="utf-8")
    assert [words[0] for words in LINES[:2]] == ["./do", "./do"]
    for words in LINES[:2]:
        assert re.search(rf"^ +{words[1]}\)", text, re.MULTILINE)


@pytest.mark.slow
def test_the_commands_run_one_after_the_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    for words in filter(is_run, COMMANDS):
        assert main(tiny(words, folder / "tiny")) == 0, " ".join(words)
    capsys.readouterr()
    assert (folder / OURS / "report" / "report.html").is_file()
    assert (folder / "out" / "disparity_color.png").is_file()
    assert (folder / "out" / "report.json").is_file()
    check = next(words for words in LINES if words[0] == "python")
    done = subprocess.run([sys.executable, *check[1:]], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "all layers match")


def test_the_points_of_the_picture_are_those_of_the_results() -> None:
    found = readme_figure.points()
    written = json.loads((RESULTS / "error_against_memory.json").read_text(encoding="utf-8"))
    assert readme_figure.as_rows(found) == written, "results have changed: run python benchmarks/readme_figure.py"
    by_source = {point.source: point for point in found}
    text = (RESULTS / "demo.md").read_text(encoding="utf-8")
    dense, packed = re.search(r"packed file +([\d.]+) MB +([\d.]+) kB", text).groups()
    assert by_source["demo.md"].memory_percent == pytest.approx(100 * float(packed) / float(dense) / 1000, rel=0.01)
    assert all(0 < point.memory_percent < 100 and point.error_factor > 0.9 for point in found)
    labels = [text.get_text() for text in readme_figure.draw(found).axes[0].texts]
    assert sorted(labels) == sorted(point.label for point in found)


def test_the_figures_of_the_text_are_those_of_the_demo() -> None:
    text = (RESULTS / "demo.md").read_text(encoding="utf-8")
    before, after = re.search(r"^  EPE +([\d.]+) px +([\d.]+) px", text, re.MULTILINE).groups()
    dense, packed = re.search(r"packed file +([\d.]+ MB) +([\d.]+ kB)", text).groups()
    scenes = re.search(r"pairs=(\d+)", text)[1]
    seconds = float(re.search(r"together (\d+) s", text)[1])
    caption = README.replace("\n", " ")
    assert f"EPE {before} -> {after} px on {scenes} unseen scenes, {dense} -> {packed}." in caption
    assert f"about {round(seconds / 60)} minutes" in README


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
