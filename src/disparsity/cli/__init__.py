"""The command line: one file per command, one line per error, exit codes from the error family."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from disparsity import __version__
from disparsity.base.errors import DisparsityError
from disparsity.cli import (
    compare,
    completion,
    cost,
    data,
    doctor,
    evaluate,
    export,
    import_packed,
    listing,
    predict,
    report,
    run,
    stage,
    sweep,
)
from disparsity.cli.layout import HelpLayout

_COMMANDS = (
    run,
    stage,
    sweep,
    evaluate,
    predict,
    cost,
    report,
    compare,
    export,
    import_packed,
    data,
    listing,
    doctor,
    completion,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    top = parser()
    arguments = top.parse_args(argv)
    arguments.parser = top
    arguments.command_line = list(sys.argv[1:] if argv is None else argv)
    try:
        return int(arguments.run(arguments))
    except DisparsityError as error:
        if arguments.debug:
            raise
        print(f"disparsity: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:  # a full disk, a folder without permission
        if arguments.debug:
            raise
        print(f"disparsity: {error}", file=sys.stderr)
        return DisparsityError.exit_code
    except KeyboardInterrupt:
        print("disparsity: interrupted", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="disparsity",
        description="Takes a trained stereo network to an accelerator: prune, fine-tune, quantize, report.",
        epilog="exit codes: 0 done, 2 wrong input, 3 corrupt artefact, 4 diverged, 75 stopped after a checkpoint",
    )
    top.add_argument("--version", action="version", version=f"disparsity {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_to(commands)
    for subparser in commands.choices.values():
        subparser.formatter_class = HelpLayout
        subparser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return top
