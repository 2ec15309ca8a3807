"""Options that describe a machine."""

from __future__ import annotations

import argparse
import re
from typing import Any

from disparsity.base.errors import InputError
from disparsity.registries import ENTRIES

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def add_machine_options(command: argparse.ArgumentParser) -> None:
    """Add them, with their defaults in the help."""
    command.add_argument(
        "--profile", default="horowitz45", metavar="NAME", help="see: disparsity list profiles; or your own .toml"
    )
    command.add_argument("--array", default="16x16", metavar="RxC", help="systolic array, default %(default)s")
    command.add_argument("--dataflow", default="ws", choices=list(ENTRIES["dataflows"]), help="default %(default)s")
    command.add_argument(
        "--buffer", default="128KiB", metavar="BYTES", help="on-chip buffer, e.g. 64KiB; default %(default)s"
    )
    command.add_argument(
        "--dram-bandwidth", default=16.0, type=float, metavar="BYTES", help="per cycle, default %(default)s"
    )
    command.add_argument(
        "--lanes", type=int, metavar="N", help="filters in lock-step where zeros are skipped; default: array columns"
    )
    command.add_argument("--clock", type=float, metavar="MHZ", help="gives times in milliseconds too")


def machine_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the options say, as keyword arguments of `disparsity.cost`.

    Raises:
        InputError: the buffer is no number of bytes.

    """
    return {
        "profile": arguments.profile,
        "array": arguments.array,
        "dataflow": arguments.dataflow,
        "buffer_bytes": parse_bytes(arguments.buffer, "--buffer"),
        "dram_bytes_per_cycle": arguments.dram_bandwidth,
        "lanes": arguments.lanes,
        "clock_mhz": arguments.clock,
    }


def parse_bytes(text: str, where: str) -> int:
    """``65536``, ``64KiB`` or ``64kB`` as bytes.

    Raises:
        InputError: it is none of these.

    """
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([A-Za-z]{0,3})", text.strip())
    if match is None or match[2].lower() not in _UNITS:
        raise InputError("not a number of bytes", where=where, found=f"'{text}'", expected="e.g. 65536, 64KiB or 64kB")
    return round(float(match[1]) * _UNITS[match[2].lower()])
