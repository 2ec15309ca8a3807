"""The parser, the exit codes and the one line per error that all commands share."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity import __version__, pipeline
from disparsity.base.errors import CorruptArtefactError, DisparsityError, DivergedError, InputError, StoppedError
from disparsity.cli import main, parser

COMMANDS = [
    "run", "demo", "train", "prune", "finetune", "quantize", "evaluate", "predict", "cost", "report", "export",
    "import", "data", "list", "sweep", "compare", "doctor", "completion",
]  # fmt: skip


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, write_recipe: Callable[..., Path], tmp_path: Path) -> Callable[..., int]:
    """Runs a recipe whose pipeline raises `error`."""

    def run(error: BaseException, *more: str) -> int:
        def stop(*_: object) -> None:
            raise error

        monkeypatch.setattr(pipeline, "run", stop)
        return main(["run", str(write_recipe(tmp_path)), "--out", str(tmp_path / "run"), *more])

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("wrong", where="here"), 2),
        (CorruptArtefactError("broken", where="here"), 3),
        (DivergedError("diverged", where="here"), 4),
        (StoppedError("stopped", where="here"), 75),
        (OSError(28, "No space left on device"), 2),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_error_is_one_line_and_a_code(
    failing: Callable[..., int], capsys: pytest.CaptureFixture[str], error: BaseException, code: int
) -> None:
    assert failing(error) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"disparsity: {'interrupted' if code == 130 else error}\n"


@pytest.mark.parametrize("error", [InputError("wrong"), OSError("full")])
def test_debug_raises(failing: Callable[..., int], error: Exception) -> None:
    with pytest.raises(type(error)):
        failing(error, "--debug")


def test_our_own_mistakes_keep_their_traceback(failing: Callable[..., int]) -> None:
    with pytest.raises(ZeroDivisionError):
        failing(ZeroDivisionError())


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["fly"], ["run"], ["run", "recipe.toml"], ["cost", "stereonet"], ["list", "birds"], ["list"],
        ["export", "x", "--format", "zip", "--out", "y"], ["cost", "x", "--size", "1x1", "--dataflow", "xs"],
        ["evaluate", "x"], ["evaluate", "x", "--data", "y", "--mask", "wide"], ["data", "destroy", "x", "--out", "y"],
    ],
)  # fmt: skip
def test_what_the_parser_refuses(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "error: " in err.splitlines()[-1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_with_examples_that_it_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "--debug" in text
    examples = re.findall(r"^example: (.*)", text, re.MULTILINE)  # each whole, whatever the terminal's width
    assert examples
    for example in examples:
        words = shlex.split(example, comments=True)
        words = words[: words.index(">")] if ">" in words else words
        words = shlex.split(words[1].strip("$()")) if words[0] == "eval" else words
        assert words[:2] == ["disparsity", command]
        assert callable(parser().parse_args(words[1:]).run)


def test_the_commands_are_those_of_the_interface(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--help"])
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("    ")]
    assert sorted(set(listed) & set(COMMANDS)) == sorted(COMMANDS)


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"disparsity {__version__}\n"


def test_every_error_of_the_family_has_a_code_of_the_interface() -> None:
    family = [DisparsityError, *DisparsityError.__subclasses__()]
    assert {kind.exit_code for kind in family} == {2, 3, 4, 75}


def test_as_a_process(tmp_path: Path) -> None:
    code = "import sys; from disparsity.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "nowhere.toml", "--out", "run"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "disparsity: nowhere.toml: no such recipe\n"
    assert list(tmp_path.iterdir()) == []
