"""The options `--runtime` and `--device` of the commands that run a network."""

from __future__ import annotations

import argparse

from disparsity.registries import ENTRIES


def add_runtime(command: argparse.ArgumentParser) -> None:
    """Add both options."""
    command.add_argument(
        "--runtime",
        choices=list(ENTRIES["runtimes"]),
        default="torch",
        help="what executes the network; onnxruntime takes what `export --format onnx` wrote, openvino what "
        "`export --format openvino` wrote; integer takes a quantized checkpoint and computes in integers as hardware "
        "would, slowly (default: torch)",
    )
    command.add_argument(
        "--device",
        default="auto",
        metavar="NAME",
        help="cpu, cuda or cuda:N, in torch (default: a GPU if there is one)",
    )
