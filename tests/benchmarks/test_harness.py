"""The benchmark harness: rows that resume, tables between their marks, and cases of every script."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stage_one
import stage_two
import stage_two_cases
from harness.benchmark import Benchmark, main
from harness.rows import Case, Row, add_row, key_of, mean, of, read_rows
from harness.tables import Table, mean_and_range, pivot, with_tables

from disparsity.recipe.recipe import load_recipe

RESULTS = Path(stage_one.__file__).parent / "results"
SCRIPTS = (
    *("data_speed", "deployment", "growth", "hardware_cost", "headline", "stage_one", "stage_two"),
    *("stage_two_allocation", "synthetic_scenes", "trained_on_scenes", "training_memory", "without_labels", "zoo_macs"),
)


def row(value: float, **case: Any) -> Row:
    return {"case": case, "found": {"epe_px": value}, "made": {}}


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    measured: list[Case] = []

    def measure(case: Case) -> dict[str, Any]:
        measured.append(case)
        return {"square": case["x"] ** 2}

    def tables(rows: list[Row]) -> Iterator[Table]:
        yield pivot("squares", rows, ("y",), "x", "square", 0)

    def cases() -> Iterator[Case]:
        yield from ({"x": x, "y": "a"} for x in (1, 2, 3))

    one = Benchmark(name="squares", question="?", cases=cases, measure=measure, tables=tables)
    main(one, ["run", "--only", "x=2"], tmp_path)
    main(one, ["run", "--part", "0/2"], tmp_path)
    main(one, ["run"], tmp_path)
    assert [case["x"] for case in measured] == [2, 1, 3]
    rows = read_rows(tmp_path / "squares.json")
    assert [row["found"]["square"] for row in rows] == [4, 1, 9]
    assert all(set(row["made"]) == {"command", "commit", "date", "machine"} for row in rows)
    page = tmp_path / "squares.md"
    page.write_text("By hand.\n<!-- table: squares -->\nold\n<!-- end of squares -->\nAlso by hand.\n")
    main(one, ["table"], tmp_path)
    lines = page.read_text().splitlines()
    assert lines[0] == "By hand."
    assert lines[2:5] == [
        "| y | square, x 1 | square, x 2 | square, x 3 |",
        "| --- | --- | --- | --- |",
        "| a | 1 | 4 | 9 |",
    ]
    assert lines[-1] == "Also by hand."


def test_rows_are_one_line_each_and_read_back(tmp_path: Path) -> None:
    rows = [row(1.5, name="ä", seed=seed) for seed in range(3)]
    for each in rows:
        add_row(tmp_path / "a.json", each)
    assert read_rows(tmp_path / "a.json") == rows
    assert len((tmp_path / "a.json").read_text(encoding="utf-8").splitlines()) == 5
    assert read_rows(tmp_path / "none.json") == []


def test_rows_by_case_and_their_mean() -> None:
    rows = [row(1.0, name="a", seed=0), row(2.0, name="a", seed=1), row(9.0, name="b", seed=0)]
    assert mean(of(rows, name="a"), "epe_px") == 1.5
    assert mean(of(rows, name="c"), "epe_px") is None
    assert mean_and_range(of(rows, name="a"), "epe_px") == "1.500 (1.000 to 2.000, n=2)"
    assert mean_and_range(of(rows, name="b"), "epe_px", 1) == "9.0"
    assert mean_and_range([], "epe_px") == "not run"


def test_a_table_without_marks_leaves_the_page_alone() -> None:
    assert with_tables("text\n", [Table("a", ("b",), [(1,)])]) == "text\n"


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_lists_its_cases_and_prints_its_committed_rows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPARSITY_DATA", "/nowhere")
    benchmark = importlib.import_module(name).BENCHMARK
    keys = [key_of(case) for case in benchmark.cases()]
    assert len(set(keys)) == len(keys)
    rows = read_rows(RESULTS / f"{benchmark.name}.json")
    assert all(set(row) == {"case", "found", "made"} for row in rows)
    assert all(len(table.header) == len(cells) for table in benchmark.tables(rows) for cells in table.rows)


def test_committed_rows_of_the_grids_are_cases() -> None:
    for script, environment in ((stage_one, {}), (stage_two, {"DISPARSITY_DATA": "/nowhere"})):
        with pytest.MonkeyPatch.context() as patch:
            for key, value in environment.items():
                patch.setenv(key, value)
            keys = {key_of(case) for case in script.BENCHMARK.cases()}
        rows = read_rows(RESULTS / f"{script.BENCHMARK.name}.json")
        assert rows
        assert {key_of(row["case"]) for row in rows} <= keys


def test_recipes_of_all_grid_cases_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPARSITY_DATA", "/nowhere")
    for case in stage_one.cases():
        load_recipe(stage_one.RECIPE, stage_one.changes_of(case))
    for plan in stage_two_cases.plans():
        load_recipe(plan.recipe, plan.changes)
