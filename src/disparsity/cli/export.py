"""`disparsity export` and `disparsity import`: a compressed network in another format, and a packed one back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disparsity.base.atomic_io import write_text
from disparsity.base.errors import InputError
from disparsity.cli.outputs import check_file, check_folder
from disparsity.recipe.recipe import parse_size

if TYPE_CHECKING:
    from disparsity.stereo.network import StereoNetwork

WORKLOAD_FORMATS = ("scalesim", "zigzag", "timeloop")
FOLDER_FORMATS = ("openvino", "rtl")
SIZED_FORMATS = ("onnx", "qonnx", *FOLDER_FORMATS, *WORKLOAD_FORMATS)


def add_to(commands: Any) -> None:
    """Add both commands."""
    command = commands.add_parser(
        "export",
        help="write a network in another format",
        description="packed: one HDF5 file with entropy-coded integers. onnx: a graph for one input size, with "
        "QuantizeLinear and DequantizeLinear where the network is quantized, run once before it is kept; zeros stay, "
        "but make nothing faster on a CPU. openvino: a folder with network.xml and network.bin, likewise; says which "
        "kernel runs each convolution on this machine. qonnx: a graph with Quant nodes that hold the widths in bits. "
        "rtl: a folder for a hardware team, with the integers of a quantized network, golden vectors of one pair "
        "(some kB per pixel: take a small size), a manifest, a check in NumPy and an example in Verilog. "
        "scalesim, zigzag, timeloop: the workload at one input size, for these tools; how 3D "
        "convolutions are lowered is stated in the file.",
        epilog="example: disparsity export runs/demo/stages/04-finetune_quantized --format packed --out compressed.h5\n"
        "example: disparsity export builtin:reference --format onnx --size 96x192 --out network.onnx\n"
        "example: disparsity export runs/demo/stages/04-finetune_quantized --format rtl --size 32x64 --out handover",
    )
    command.add_argument("checkpoint", metavar="CHECKPOINT", help="ours, a published file, or builtin:NAME")
    command.add_argument("--format", required=True, choices=["packed", *SIZED_FORMATS])
    command.add_argument("--out", type=Path, required=True, metavar="PATH")
    command.add_argument("--network", metavar="NAME", help="of a published file; see: disparsity list networks")
    command.add_argument("--size", metavar="HxW", help="of the input, for all formats but packed")
    command.add_argument("--data", metavar="URI", help="whose first pair rtl runs (default: a synthetic pair)")
    command.set_defaults(run=_export)
    back = commands.add_parser(
        "import",
        help="a packed file as a checkpoint",
        description="The inverse of `export --format packed`: effective weights come back bit-identical.",
        epilog="example: disparsity import compressed.h5 --out restored",
    )
    back.add_argument("packed", type=Path, metavar="PACKED")
    back.add_argument("--out", type=Path, required=True, metavar="CHECKPOINT", help="a folder for the checkpoint")
    back.add_argument("--network", metavar="MODULE:CALLABLE", help="of a file that holds a network of your own")
    back.set_defaults(run=_import)


def _export(arguments: argparse.Namespace) -> int:
    check_folder(arguments.out) if arguments.format in FOLDER_FORMATS else check_file(arguments.out)
    size = _input_size(arguments)
    if arguments.data is not None and arguments.format != "rtl":
        raise InputError(
            "only the format rtl runs a pair", found=f"--data with {arguments.format}", remedy="leave it out"
        )
    from disparsity.checkpoint.restore import open_network  # noqa: PLC0415 - torch is slow to import

    network = open_network(arguments.checkpoint, arguments.network)
    if size is None:
        from disparsity.checkpoint.packed import write_network  # noqa: PLC0415

        write_network(arguments.out, network)
    else:
        _write_sized(arguments, network, size)
    print(f"{arguments.out} {_bytes_of(arguments.out)} bytes")
    if arguments.format == "openvino":
        _print_kernels(arguments.out)
    return 0


def _bytes_of(path: Path) -> int:
    return sum(file.stat().st_size for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())


def _print_kernels(folder: Path) -> None:
    from disparsity.evaluation.sessions.kernels import kernel_table  # noqa: PLC0415 - not for the other formats
    from disparsity.evaluation.sessions.openvino import open_openvino  # noqa: PLC0415

    network = open_openvino(folder)
    print(kernel_table(network.kernels, network.widened))


def _write_sized(arguments: argparse.Namespace, network: StereoNetwork, size: tuple[int, int]) -> None:
    from disparsity.cost import check_pixels, export_workload  # noqa: PLC0415 - torch is slow to import

    check_pixels(size)
    out, kind = arguments.out, arguments.format
    if kind == "onnx":
        from disparsity.export.onnx.file import write_onnx  # noqa: PLC0415 - not for the other formats

        write_onnx(out, network, size)
    elif kind == "openvino":
        from disparsity.export.openvino.folder import write_openvino  # noqa: PLC0415 - not for the other formats

        write_openvino(out, network, size)
    elif kind == "qonnx":
        from disparsity.export.qonnx.file import write_qonnx  # noqa: PLC0415 - not for the other formats

        write_qonnx(out, network, size)
    elif kind == "rtl":
        from disparsity.export.rtl.folder import write_rtl  # noqa: PLC0415 - not for the other formats

        write_rtl(out, network, size, arguments.data)
    else:
        write_text(out, export_workload(network, size, kind))


def _input_size(arguments: argparse.Namespace) -> tuple[int, int] | None:
    """Of the formats that are made for one size; a packed network has none."""
    if (arguments.format in SIZED_FORMATS) != (arguments.size is not None):
        found = "no --size" if arguments.size is None else "--size"
        expected = f"--size HxW with {', '.join(SIZED_FORMATS)}, and with no other format"
        raise InputError("the format and --size do not fit", found=f"{arguments.format}, {found}", expected=expected)
    return None if arguments.size is None else parse_size(arguments.size, "--size")


def _import(arguments: argparse.Namespace) -> int:
    check_folder(arguments.out)
    from disparsity.checkpoint.checkpoints import SIDE_FILE, save_checkpoint  # noqa: PLC0415 - torch is slow to import
    from disparsity.checkpoint.packed import read_network  # noqa: PLC0415
    from disparsity.checkpoint.restore import network_checkpoint  # noqa: PLC0415
    from disparsity.stereo.networks.users import remember_written  # noqa: PLC0415

    if arguments.network is not None:
        remember_written(arguments.network)
    side_file = arguments.out / SIDE_FILE
    save_checkpoint(side_file, network_checkpoint(read_network(arguments.packed), {"source": "packed"}))
    print(side_file)
    return 0
