"""Completion scripts: a real shell sources them and completes; shells that are not on this machine are skipped."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity.cli.completion import SHELLS


@pytest.fixture
def script(run_main: Callable[..., str], tmp_path: Path) -> Callable[[str], Path]:
    """Writes the script of a shell."""

    def write(shell: str) -> Path:
        path = tmp_path / f"completion.{shell}"
        path.write_text(run_main("completion", shell), encoding="utf-8")
        return path

    return write


def completed_by_bash(script: Path, folder: Path, *words: str) -> set[str]:
    """What bash offers for the last of the words of a command line."""
    quoted = " ".join(f"'{word}'" for word in words)
    lines = [
        "shopt -s progcomp", f"source '{script}'", f"COMP_WORDS=({quoted})", f"COMP_CWORD={len(words) - 1}",
        f"COMP_LINE='{' '.join(words)}'", "COMP_POINT=${#COMP_LINE}",
        "handler=$(complete -p disparsity | sed 's/.*-F \\([^ ]*\\).*/\\1/')",
        f"$handler disparsity '{words[-1]}' '{words[-2]}'", 'printf "%s\\n" "${COMPREPLY[@]}"',
    ]  # fmt: skip
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    return {line.strip() for line in done.stdout.splitlines() if line.strip()}


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes_commands_options_choices_and_paths(script: Callable[[str], Path], tmp_path: Path) -> None:
    path, folder = script("bash"), tmp_path / "here"
    (folder / "runs").mkdir(parents=True)
    (folder / "recipe.toml").touch()
    assert completed_by_bash(path, folder, "disparsity", "pr") == {"predict", "prune"}
    assert completed_by_bash(path, folder, "disparsity", "cost", "--buf") == {"--buffer"}
    assert completed_by_bash(path, folder, "disparsity", "list", "sco") == {"scores", "scopes"}
    assert {"recipe.toml", "runs"} <= completed_by_bash(path, folder, "disparsity", "run", "r")
    assert "recipe.toml" in completed_by_bash(path, folder, "disparsity", "evaluate", "rec")
    assert completed_by_bash(path, folder, "disparsity", "report", "r") == {"runs"}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_takes_its_script(script: Callable[[str], Path], shell: str) -> None:
    path = script(shell)
    text = path.read_text(encoding="utf-8")
    assert "evaluate" in text
    assert "dram-bandwidth" in text
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine")
    checked = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True, check=False, timeout=60)
    assert (checked.returncode, checked.stderr) == (0, "")
