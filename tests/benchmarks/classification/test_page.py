"""What the control's page says of given results."""

from __future__ import annotations

from pathlib import Path

import pytest
from classification.control import cases
from classification.page import claim, differences, page, write_results
from classification.recipe import ControlRecipe, claim_folder

from disparsity.base.atomic_io import write_json
from disparsity.base.errors import InputError

RECIPE = ControlRecipe(scores=("taylor", "magnitude"), sparsities=(0.9, 0.98), seeds=(0, 1))


def row(score: str, sparsity: float, seed: int, accuracy: float) -> dict[str, float | str | int]:
    return {"score": score, "sparsity": sparsity, "seed": seed, "accuracy_percent": accuracy, "processor_s": 3.0}


ROWS = [
    row("taylor", 0.9, 0, 95.0),
    row("taylor", 0.9, 1, 97.0),
    row("taylor", 0.98, 0, 90.0),
    row("magnitude", 0.9, 0, 94.0),
    row("magnitude", 0.9, 1, 97.0),
    row("magnitude", 0.98, 0, 84.0),
]


def test_scores_are_compared_run_by_run() -> None:
    assert sorted(differences(ROWS, "magnitude", 0.0)) == [0.0, 1.0, 6.0]
    assert differences(ROWS, "magnitude", 0.98) == [6.0]
    assert claim(ROWS, "magnitude") == (
        "- Taylor is ahead of magnitude: +2.33 points on average, better in 2 and worse in 0 of 3 pairs of runs; "
        "from 98 % sparsity on +6.00 points on average, better in 1 and worse in 0 of 1 pairs of runs."
    )
    assert claim(ROWS, "snip") == "- Taylor against snip: not run."
    assert claim(ROWS[:5], "magnitude") == (
        "- Taylor is ahead of magnitude: +0.50 points on average, better in 1 and worse in 0 of 2 pairs of runs."
    )


def test_a_loss_is_said_as_well() -> None:
    swapped = [{**r, "score": {"taylor": "magnitude", "magnitude": "taylor"}[str(r["score"])]} for r in ROWS]
    assert claim(swapped, "magnitude").startswith("- Taylor is behind magnitude: -2.33 points")


def test_the_table_has_means_and_ranges() -> None:
    lines = page(RECIPE, ROWS, [{"accuracy_percent": 99.0}], "x.png")
    assert "| taylor | 96.0 (95.0..97.0, n=2) | 90.0 (90.0..90.0, n=1) |" in lines
    assert "| magnitude | 95.5 (94.0..97.0, n=2) | 84.0 (84.0..84.0, n=1) |" in lines
    assert any(line.endswith("Dense: 99.0 (99.0..99.0, n=1). 6 of 8 runs are there.") for line in lines)


def test_files_are_written_from_the_results_that_are_there(tmp_path: Path) -> None:
    out, results = tmp_path / "out", tmp_path / "results"
    claim_folder(out, RECIPE)
    with pytest.raises(InputError, match="no results"):
        write_results(RECIPE, out, results, [])
    case = next(cases(RECIPE))
    write_json(out / f"{case.name}.json", row(case.score, case.sparsity, case.seed, 91.0))
    write_json(out / f"dense-{case.seed}.json", {"accuracy_percent": 99.0})
    text = write_results(RECIPE, out, results, ["Command: none"])
    assert "not run" in text
    assert (results / "classification_control.csv").read_text().splitlines()[1] == "taylor,0.9,0,91.0,3.0"
    assert (results / "classification_control.png").read_bytes().startswith(b"\x89PNG")
    assert (results / "classification_control.md").read_text() == text
