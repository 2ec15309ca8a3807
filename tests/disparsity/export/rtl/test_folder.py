"""What the folder holds, that it appears whole or not at all, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from disparsity.base.atomic_io import sha256_of
from disparsity.base.errors import InputError, StorageError
from disparsity.base.layers import quantizable_layers
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.uri import open_data
from disparsity.export.rtl import folder as module
from disparsity.export.rtl.folder import default_pair, write_rtl
from disparsity.export.rtl.selfcheck import read_words
from disparsity.quant.grids.codes import integer_codes
from disparsity.quant.integer.network import integer_form, integer_layers
from disparsity.stereo.inference import predict

SIZE = (18, 32)


@pytest.fixture(scope="module")
def manifest(rtl_folder: Path) -> dict[str, Any]:
    return json.loads((rtl_folder / "manifest.json").read_text())


def matches(value: Any, schema: dict[str, Any], where: str = "manifest") -> list[str]:
    """What of a value differs from a JSON schema, as far as ours goes."""
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    if "anyOf" in schema:
        return min((matches(value, option, where) for option in schema["anyOf"]), key=len)
    if "const" in schema or "enum" in schema:
        return [] if value in schema.get("enum", [schema.get("const")]) else [f"{where}: {value}"]
    if not isinstance(value, kinds[schema["type"]]) or ("minimum" in schema and value < schema["minimum"]):
        return [f"{where}: {value}"]
    if isinstance(value, list):
        short = [f"{where}: empty"] if len(value) < schema.get("minItems", 0) else []
        return short + [
            found for i, item in enumerate(value) for found in matches(item, schema["items"], f"{where}[{i}]")
        ]
    if isinstance(value, dict):
        known, other = schema.get("properties", {}), schema.get("additionalProperties", {})
        wrong = [f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, item in value.items():
            inner = known.get(name, other)
            wrong += [f"{where}: {name} is unknown"] if inner is False else matches(item, inner, f"{where}.{name}")
        return wrong
    return []


def test_the_manifest_is_what_its_schema_says(rtl_folder: Path, manifest: dict[str, Any]) -> None:
    schema = json.loads((rtl_folder / "manifest.schema.json").read_text())
    assert matches(manifest, schema) == []
    assert matches(manifest | {"version": 2}, schema) == ["manifest.version: 2"]
    del manifest["layers"][0]["weights"]["bits"]
    assert matches(manifest, schema) == ["manifest.layers[0].weights: bits is missing"]
    manifest["layers"][0]["weights"]["bits"] = 8


def test_every_file_is_in_the_manifest_with_its_checksum(rtl_folder: Path, manifest: dict[str, Any]) -> None:
    paths = {path.relative_to(rtl_folder).as_posix() for path in rtl_folder.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == paths - {"manifest.json"}
    assert {"README.txt", "selfcheck.py", "manifest.schema.json", "rtl/testbench.sv", "rtl/lane.sv"} <= paths
    assert all(sha256_of(rtl_folder / path) == value for path, value in manifest["files"].items())


def test_the_integers_are_those_of_the_checkpoint(rtl_folder: Path, manifest: dict[str, Any], deployable: Path) -> None:
    network = open_network(str(deployable), None)
    layers, integers = quantizable_layers(network), integer_layers(integer_form(network))
    assert {entry["name"] for entry in manifest["layers"]} == set(layers)
    for entry in manifest["layers"]:
        stored, constants = entry["weights"], integers[entry["name"]].constants
        codes = read_words(rtl_folder / stored["file"], stored["bits"], signed=True).reshape(stored["shape"])
        np.testing.assert_array_equal(codes, integer_codes(layers[entry["name"]])[0].numpy())
        for name in ("multipliers", "shifts", "biases"):
            file = entry["output"][name]
            words = read_words(rtl_folder / file["file"], file["bits"], signed=file["signed"])
            assert tuple(words) == getattr(constants.output, name)
        assert entry["accumulator"]["seen_bits"] <= entry["accumulator"]["worst_case_bits"] <= 32


def test_the_golden_output_gives_the_disparity(rtl_folder: Path, manifest: dict[str, Any], deployable: Path) -> None:
    """The last layer's residue, added to what went into it, is the refined map: checked through the host's own rule."""
    network = integer_form(open_network(str(deployable), None))
    seen: list[np.ndarray[Any, Any]] = []
    last = manifest["layers"][-1]
    integer_layers(network)[last["name"]].register_forward_hook(lambda *given: seen.append(given[2].numpy()))
    sample = open_data(manifest["pair"]["data"])[0]
    predict(network, sample.left, sample.right)
    call = last["calls"][-1]
    words = read_words(rtl_folder / call["output_file"], last["output"]["bits"], signed=True)
    real = words.reshape(call["output_shape"]).astype(np.float32) * np.float32(2.0 ** -last["output"]["fraction_bits"])
    np.testing.assert_array_equal(real, seen[-1])
    assert call["output_shape"][-2:] == [20, 32]


def test_the_text_names_every_layer_file_and_host_operation(rtl_folder: Path, manifest: dict[str, Any]) -> None:
    text = (rtl_folder / "README.txt").read_text()
    for entry in manifest["layers"]:
        assert entry["name"] in text
        assert entry["weights"]["file"] in text
        assert f"multiplier {entry['input']['multiplier']}, shift {entry['input']['shift']}" in text
    assert all(words in text for words in manifest["conventions"].values())
    assert "soft_argmin: _softmax, 1x" in text
    assert {entry["operator"] for entry in manifest["host_operations"]} >= {
        "leaky_relu",
        "_softmax",
        "upsample_bilinear2d",
    }


def test_nothing_is_left_when_writing_fails(deployable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "readme", full)
    with pytest.raises(StorageError, match="the disk is full"):
        write_rtl(tmp_path / "out", open_network(str(deployable), None), SIZE)
    assert list(tmp_path.iterdir()) == []


def test_folders_that_hold_something_are_refused_and_empty_ones_taken(
    deployable: Path, tmp_path: Path, snapshot: Callable[[Path], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, out = open_network(str(deployable), None), tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("mine")
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match="the folder holds something else; found mine; name an empty or a new folder"):
        write_rtl(out, network, SIZE)
    assert snapshot(tmp_path) == before
    (out / "mine").unlink()
    monkeypatch.setattr(module, "_fill", lambda *given: (given[-1] / "manifest.json").write_text("{}"))
    write_rtl(out, network, SIZE)
    assert [path.name for path in out.iterdir()] == ["manifest.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_networks_in_float_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the network is not quantized"):
        write_rtl(tmp_path / "out", open_network(str(checkpoint), None), SIZE)
    assert list(tmp_path.iterdir()) == []


def test_the_pair_is_the_middle_of_the_first_one(deployable: Path, tmp_path: Path) -> None:
    network = open_network(str(deployable), None)
    uri = "synthetic:?pairs=2&size=24x40&seed=5&max_disparity=16"
    write_rtl(tmp_path / "out", network, (16, 32), uri)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["pair"] == {"data": uri, "id": open_data(uri)[0].id}
    first = manifest["layers"][0]
    words = read_words(tmp_path / "out" / first["calls"][0]["input_file"], 32, signed=True)
    found = words.reshape(first["calls"][0]["input_shape"]) * 2.0 ** -first["input"]["fraction_bits"]
    sample = open_data(uri)[0]
    views = torch.stack([sample.left, sample.right])[..., 4:20, 4:36]  # the network's towers run as one batch
    expected = ((views - network.mean) / network.std).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    with pytest.raises(InputError, match="the first pair is smaller than --size; found 24x40; expected 24x64 or more"):
        write_rtl(tmp_path / "other", network, (24, 64), uri)


def test_the_default_pair_fits_the_image() -> None:
    assert default_pair((20, 400), 48) == "synthetic:?pairs=1&size=20x400&seed=0&max_disparity=48"
    assert default_pair((20, 64), 192).endswith("max_disparity=16")
    assert default_pair((20, 16), 192).endswith("max_disparity=8")
