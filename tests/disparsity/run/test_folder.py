"""Run folders: one recipe, one process, metrics that survive a crash."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity.base.errors import CorruptArtefactError, InputError, StorageError
from disparsity.finetune.settings import TrainSettings
from disparsity.recipe.recipe import Recipe, load_recipe
from disparsity.run.folder import (
    append_metrics,
    check_present,
    history,
    open_run,
    read_metrics,
    stage_folder,
    stored_recipe,
    trim_metrics,
)

RECIPE = Recipe(seed=3, train=TrainSettings(steps=5))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_new_folder_holds_the_resolved_recipe_and_can_be_returned_to(tmp_path: Path) -> None:
    for _ in range(2):
        with open_run(tmp_path / "a/run", RECIPE) as folder:
            assert load_recipe(folder / "recipe.toml") == RECIPE
    assert stored_recipe(tmp_path / "a/run") == RECIPE
    with pytest.raises(InputError, match="no run in this folder"):
        stored_recipe(tmp_path)


def test_another_recipes_folder_is_refused_and_untouched(tmp_path: Path) -> None:
    with open_run(tmp_path / "run", RECIPE) as folder:
        stage_folder(folder, 1, "train").mkdir(parents=True)
        append_metrics(stage_folder(folder, 1, "train"), {"step": 1})
    before = tree(tmp_path)
    other = Recipe(seed=4, train=TrainSettings(steps=5))
    with (
        pytest.raises(InputError, match=r"run: the folder holds the run of another recipe; .*--out"),
        open_run(tmp_path / "run", other),
    ):
        pass
    assert tree(tmp_path) == before


def test_foreign_folders_and_files_are_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for path, message in ((tmp_path, "not empty and holds no run"), (tmp_path / "notes.txt", "not a folder")):
        with pytest.raises(InputError, match=message), open_run(path, RECIPE):
            pass
    assert tree(tmp_path) == {"notes.txt": b"mine"}


def test_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with open_run(tmp_path / "run", RECIPE) as folder:
        assert (folder / "recipe.toml").is_file()


@pytest.mark.slow
def test_second_process_is_refused_with_the_first_ones_number(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from disparsity.recipe.recipe import load_recipe; "
        "from disparsity.run.folder import open_run; from disparsity.base.errors import InputError\n"
        "run = Path(sys.argv[1])\n"
        "try:\n    with open_run(run, load_recipe(run / 'recipe.toml')): print('opened')\n"
        "except InputError as error: print(error)"
    )

    def child() -> str:
        return subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
        ).stdout

    with open_run(tmp_path, RECIPE):
        assert (tmp_path / ".lock").read_text().startswith("process ")
        with (
            pytest.raises(InputError, match=r"another process works in this folder; found process \d+"),
            open_run(tmp_path, RECIPE),
        ):
            pass
        assert "another process works in this folder; found process" in child()
    assert child() == "opened\n"


def test_lock_of_a_dead_process_does_not_block(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("process 999999\n")
    with open_run(tmp_path, RECIPE):
        pass


def test_lock_is_released_when_the_run_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), open_run(tmp_path, RECIPE):
        raise ZeroDivisionError
    with open_run(tmp_path, RECIPE):
        pass


def write_rows(folder: Path, rows: int) -> Path:
    for step in range(1, rows + 1):
        append_metrics(folder, {"step": step, "loss": 1.0 / step})
    return folder / "metrics.jsonl"


def test_metrics_round_trip_and_a_cut_last_line_is_left_out(tmp_path: Path) -> None:
    path = write_rows(tmp_path, 3)
    content = path.read_bytes()
    last = content.rstrip().rfind(b"\n") + 1
    assert [row["step"] for row in read_metrics(path)] == [1, 2, 3]
    for length in range(last, len(content) - 1):
        path.write_bytes(content[:length])
        assert [row["step"] for row in read_metrics(path)] == [1, 2]


def test_damage_in_the_middle_is_corrupt(tmp_path: Path) -> None:
    path = write_rows(tmp_path, 3)
    path.write_text(path.read_text().replace('"step": 2', '"step": '))
    with pytest.raises(CorruptArtefactError, match=r"metrics\.jsonl:2: not a JSON line"):
        read_metrics(path)


def test_trimming_drops_later_rows_and_the_cut_line_so_that_appending_goes_on_cleanly(tmp_path: Path) -> None:
    path = write_rows(tmp_path, 4)
    with path.open("a") as file:
        file.write('{"step": 5, "lo')
    trim_metrics(tmp_path, 2)
    append_metrics(tmp_path, {"step": 3, "loss": 0.5})
    assert [row["step"] for row in read_metrics(path)] == [1, 2, 3]
    trim_metrics(tmp_path / "gone", 2)
    assert not (tmp_path / "gone").exists()


def test_metrics_refuse_nan_without_a_half_row(tmp_path: Path) -> None:
    path = write_rows(tmp_path, 1)
    with pytest.raises(ValueError, match="JSON"):
        append_metrics(tmp_path, {"loss": float("nan")})
    assert len(read_metrics(path)) == 1


def test_history_joins_the_stages_in_order(tmp_path: Path) -> None:
    for number, name in ((2, "finetune"), (1, "prune")):
        stage_folder(tmp_path, number, name).mkdir(parents=True)
        append_metrics(stage_folder(tmp_path, number, name), {"step": 10})
    assert stage_folder(tmp_path, 1, "prune") == tmp_path / "stages" / "01-prune"
    assert history(tmp_path) == [{"stage": "01-prune", "step": 10}, {"stage": "02-finetune", "step": 10}]
    stored = json.loads((tmp_path / "stages/01-prune/metrics.jsonl").read_text())
    assert stored == {"step": 10, "crc32": zlib.crc32(b'{"step": 10}')}


def test_every_damaged_bit_of_the_metrics_is_found_or_harmless(
    tmp_path: Path, flipped: Callable[[bytes, int], bytes]
) -> None:
    path = write_rows(tmp_path, 3)
    content, rows = path.read_bytes(), read_metrics(path)
    for place in range(len(content) * 8):
        path.write_bytes(flipped(content, place))
        try:
            found = read_metrics(path)
        except CorruptArtefactError:
            continue
        # white space became other white space, or the name of the checksum was hit
        assert [{name: row[name] for name in ("step", "loss")} for row in found] == rows


def test_rows_from_before_the_checksums_are_read(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2}\n')
    assert read_metrics(tmp_path / "metrics.jsonl") == [{"step": 1}, {"step": 2}]


def test_a_row_that_finds_no_room_leaves_no_half(tmp_path: Path) -> None:
    path = write_rows(tmp_path, 2)
    size, limits = path.stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"metrics\.jsonl: the file is larger than the limit"):
            append_metrics(tmp_path, {"step": 3, "loss": 0.25})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.stat().st_size == size


def test_a_folder_that_has_vanished_is_not_made_again(tmp_path: Path) -> None:
    for folder, name in ((tmp_path / "gone", None), (tmp_path, "recipe.toml")):
        with pytest.raises(InputError, match="the folder has disappeared during the run; check that its disk"):
            check_present(folder, name)
    with pytest.raises(InputError, match="disappeared"):
        append_metrics(tmp_path / "gone", {"step": 1})
    assert list(tmp_path.iterdir()) == []


def test_what_killed_runs_left_goes_when_the_run_is_opened(tmp_path: Path) -> None:
    with open_run(tmp_path / "run", RECIPE) as folder:
        (folder / "stages").mkdir()
        left = folder / "stages" / ".resume.json.another-machine.77.disparsity.tmp"
        left.write_text("half")
    with open_run(tmp_path / "run", RECIPE):
        assert not left.exists()
