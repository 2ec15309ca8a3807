"""What is in an exported folder, and that one that fails its check never takes the place of another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from disparsity.base.errors import InputError
from disparsity.checkpoint.restore import open_network
from disparsity.evaluation.sessions.metadata import FileMetadata
from disparsity.evaluation.sessions.openvino import open_openvino
from disparsity.export.openvino import folder as writer

openvino = pytest.importorskip("openvino")


def test_a_graph_and_its_weights_in_bytes(openvino_folder: Path, onnx_file: Path) -> None:
    assert sorted(path.name for path in openvino_folder.iterdir()) == ["network.bin", "network.xml"]
    model = openvino.Core().read_model(openvino_folder / "network.xml")
    assert [(each.any_name, list(each.shape)) for each in model.inputs] == [
        ("left", [1, 3, 32, 64]),
        ("right", [1, 3, 32, 64]),
    ]
    assert [(each.any_name, list(each.shape)) for each in model.outputs] == [("disparity", [1, 32, 64])]
    assert (openvino_folder / "network.bin").stat().st_size < onnx_file.stat().st_size


def test_facts_travel_in_the_folder(openvino_folder: Path) -> None:
    metadata = FileMetadata(
        network="reference",
        stage="quantized",
        input_size=(32, 64),
        divisor=4,
        fill=(0.5, 0.5, 0.5),
        max_disparity=16,
    )
    assert open_openvino(openvino_folder).metadata == metadata


def shifted(model: Any) -> Any:
    """The map and five pixels more."""
    opset, result = openvino.opset13, model.get_results()[0]
    moved = opset.add(result.input_value(0), opset.constant(np.float32(5)))
    result.input(0).replace_source_output(moved.output(0))
    return model


def renamed(model: Any) -> Any:
    model.inputs[0].set_names({"other"})
    return model


@pytest.mark.parametrize(("damage", "message"), [
    (shifted, "reference: OpenVINO and torch disagree; found .* px on average"),
    (renamed, "OpenVINO cannot run this network"),
])  # fmt: skip
def test_a_folder_that_fails_its_check_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
    openvino_folder: Path,
    deployable: Path,
    tmp_path: Path,
    damage: Callable[[Any], Any],
    message: str,
) -> None:
    model = openvino.Core().read_model(openvino_folder / "network.xml")
    monkeypatch.setattr(writer, "openvino_graph", lambda *_: damage(model))
    out = tmp_path / "network"
    out.mkdir()
    (out / "network.xml").write_text("mine")
    with pytest.raises(InputError, match=message):
        writer.write_openvino(out, open_network(str(deployable), None), (30, 61))
    assert [path.name for path in tmp_path.iterdir()] == ["network"]
    assert (out / "network.xml").read_text() == "mine"


def test_nothing_else_in_the_folder_is_lost(deployable: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_text("mine")
    with pytest.raises(InputError, match=r"holds something else; found photo\.png"):
        writer.write_openvino(tmp_path, open_network(str(deployable), None), (30, 61))
