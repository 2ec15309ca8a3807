"""`disparsity completion`: what a shell needs to complete commands, options, choices and paths."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHELLS = ("bash", "zsh", "fish")
_FOLDERS = ("DIR", "RUN")
_FILES_TOO = ("CHECKPOINT", "CHECKPOINT|NETWORK")
"""What is no path in every case, but is completed as one."""


def add_to(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "completion",
        help="print a script that lets a shell complete commands and options",
        description="Print the completion script of a shell on standard output.",
        epilog='example: eval "$(disparsity completion bash)"           # in ~/.bashrc\n'
        "example: disparsity completion zsh > ~/.zfunc/_disparsity  # a folder of fpath\n"
        "example: disparsity completion fish > ~/.config/fish/completions/disparsity.fish",
    )
    command.add_argument("shell", choices=SHELLS)
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    import shtab  # noqa: PLC0415 - a fifth of the time of --version

    for action in _actions(arguments.parser):
        if action.type is Path or action.metavar in _FILES_TOO:
            kind = shtab.DIRECTORY if action.metavar in _FOLDERS else shtab.FILE
            action.complete = kind  # type: ignore[attr-defined]  # where shtab looks for it
    print(shtab.complete(arguments.parser, arguments.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments and options of a parser and of all its commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
        else:
            yield action
