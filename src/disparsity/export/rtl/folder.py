"""RTL folder: what ``disparsity export --format rtl`` writes."""

from __future__ import annotations

import copy
import functools
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from disparsity.base.atomic_folder import check_replaceable, write_folder
from disparsity.base.atomic_io import sha256_of, write_json, write_text
from disparsity.base.errors import InputError
from disparsity.datasets.sample import Sample
from disparsity.datasets.uri import open_data
from disparsity.export.format import Format
from disparsity.export.rtl import selfcheck
from disparsity.export.rtl.calls import GoldenCall, run_golden
from disparsity.export.rtl.conventions import CONVENTIONS, readme
from disparsity.export.rtl.example import TEMPLATES, write_example
from disparsity.export.rtl.layers import describe_layer, write_layer
from disparsity.export.rtl.own_layers import check_own_layer
from disparsity.export.rtl.words import hex_lines
from disparsity.quant.integer.network import integer_form, integer_layers
from disparsity.stereo.network import StereoNetwork

SCHEMA, VERSION = "disparsity.rtl", 1
_SMALLEST_DISPARITY = 8


def write_rtl(path: Path, network: StereoNetwork, size: tuple[int, int], data: str | None = None) -> None:
    """Write integers, golden vectors of one pair, manifest, self-check and example of a quantized network.

    The folder is filled beside its place and then renamed. Golden vectors are text: 9 bytes per element of every
    layer's input, 3 to 5 for its code, and 9 per element of its output; of the built-in reference network 6 kB per
    pixel of the image. A small size exercises every layer as well as a large one.

    Args:
        path: does not exist, or is an empty folder.
        network: quantized and calibrated; not changed.
        size: height and width of the pair.
        data: URI of a data set whose first pair is run, its middle of this size; None takes a synthetic pair.

    Raises:
        InputError: the folder holds something, the network is not quantized, a convolution or linear layer is left in
            float or computes something else by itself (the message names it), a layer pads with something else than
            zeros, or the pair is too small.

    """
    check_replaceable(path, ())
    integer, own = integer_form(network), copy.deepcopy(network).cpu().eval()
    uri = data or default_pair(size, network.spec.max_disparity)
    sample = open_data(uri)[0]
    views = [_middle(view, size, uri) for view in (sample.left, sample.right)]
    write_folder(path, (), functools.partial(_fill, integer, own, views, _source(network, size, uri, sample)))


def default_pair(size: tuple[int, int], max_disparity: int) -> str:
    """The URI of the synthetic pair that is run where no data is named."""
    largest = max(_SMALLEST_DISPARITY, min(max_disparity, size[1] // 4))
    return f"synthetic:?pairs=1&size={size[0]}x{size[1]}&seed=0&max_disparity={largest}"


class _Writer:
    """Writes what each call brings, as it comes."""

    def __init__(self, root: Path, network: StereoNetwork, own: StereoNetwork) -> None:
        self.root = root
        self.own = own
        self.layers = integer_layers(network)
        self.entries: dict[str, dict[str, Any]] = {}

    def take(self, call: GoldenCall) -> None:
        if call.layer not in self.entries:
            folder = f"layers/{len(self.entries):03d}_{call.layer}"
            self.entries[call.layer] = describe_layer(self.layers[call.layer], folder)
            write_layer(self.layers[call.layer], self.root, self.entries[call.layer])
        check_own_layer(self.own.get_submodule(call.layer), self.layers[call.layer], call)
        entry = self.entries[call.layer]
        prefix = f"{Path(entry['weights']['file']).parent.as_posix()}/call{len(entry['calls'])}"
        files = {
            name: f"{prefix}_{name.removesuffix('_file')}.hex" for name in ("input_file", "code_file", "output_file")
        }
        self._write(files["input_file"], call.inputs, entry["input"]["bits"])
        self._write(files["code_file"], call.codes - entry["input"]["low"], entry["input"]["code_bits"])
        self._write(files["output_file"], call.outputs, entry["output"]["bits"])
        shapes = {"input_shape": list(call.inputs.shape), "output_shape": list(call.outputs.shape)}
        entry["calls"].append(shapes | files)

    def finished(self) -> list[dict[str, Any]]:
        """The entries, with the widths that the sums of this pair needed."""
        for name, entry in self.entries.items():
            entry["accumulator"]["seen_bits"] = self.layers[name].largest_seen.bit_length() + 1
        return list(self.entries.values())

    def _write(self, file: str, values: Any, bits: int) -> None:
        (self.root / file).write_bytes(hex_lines(values, bits))


def _fill(network: StereoNetwork, own: StereoNetwork, views: list[Tensor], source: dict[str, Any], root: Path) -> None:
    writer = _Writer(root, network, own)
    host = run_golden(network, views[0][None], views[1][None], writer.take)
    layers = writer.finished()
    operations = [{"module": m, "operator": o, "calls": count} for (m, o), count in host.items()]
    manifest = source | {
        "conventions": CONVENTIONS,
        "layers": layers,
        "host_operations": operations,
        "example": write_example(root, layers),
    }
    write_text(root / "README.txt", readme(manifest))
    write_text(root / "selfcheck.py", Path(selfcheck.__file__).read_text(encoding="utf-8"))
    write_text(root / "manifest.schema.json", (TEMPLATES / "manifest.schema.json").read_text(encoding="utf-8"))
    write_json(root / "manifest.json", manifest | {"files": _checksums(root)})


def _source(network: StereoNetwork, size: tuple[int, int], uri: str, sample: Sample) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "network": network.spec.name,
        "input_size": list(size),
        "pair": {"data": uri, "id": sample.id},
    }


def _middle(view: Tensor, size: tuple[int, int], uri: str) -> Tensor:
    """The middle ``[3, h, w]`` of a view."""
    if any(have < want for have, want in zip(view.shape[1:], size, strict=True)):
        found, expected = ("x".join(map(str, each)) for each in (view.shape[1:], size))
        raise InputError(
            "the first pair is smaller than --size", where=uri, found=found, expected=f"{expected} or more"
        )
    top, left = ((have - want) // 2 for have, want in zip(view.shape[1:], size, strict=True))
    return torch.narrow(torch.narrow(view, 1, top, size[0]), 2, left, size[1])


def _checksums(root: Path) -> dict[str, str]:
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): sha256_of(path) for path in paths}


RTL = Format(write=write_rtl, is_folder=True, takes_data=True)
