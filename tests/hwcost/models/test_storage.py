"""Bytes of layers and of networks by hand, and the section and columns made from them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer
from disparsity.hwcost.models.storage import (
    StorageColumns,
    dense_bytes,
    layer_storage,
    memory_section,
    network_storage,
    storage_columns,
    weight_rows,
)
from disparsity.hwcost.tracing.layer_call import Workload


def sparse_layer() -> PackedLayer:
    codes = np.zeros((4, 2, 3, 3), np.int64)
    codes[0, 0, 1, 1], codes[2, 1, 0, 0] = 7, -3
    return PackedLayer(name="a", codes=codes, steps=np.full(4, 0.25, np.float16), bits=4)


def test_integer_weights_with_their_scales() -> None:
    found = layer_storage(sparse_layer())
    assert found.values_bytes == 2 * 4 / 8
    assert found.formats["dense"] == 72 * 4 // 8 + 4 * 2
    assert found.formats["bitmap"] == (72 + 2 * 4) // 8 + 4 * 2
    assert found.formats["coo"] == -(-(32 + 2 * (4 + 7)) // 8) + 4 * 2
    assert found.best_format == min(found.formats, key=found.formats.__getitem__)


def test_channels_that_share_a_scale_store_it_once() -> None:
    shared = dataclasses.replace(sparse_layer(), group=3)
    assert layer_storage(sparse_layer()).formats["dense"] - layer_storage(shared).formats["dense"] == (4 - 2) * 2


def test_float_weights_are_stored_whole() -> None:
    values = np.array([[[0.0, 1.5], [2.5, 0.0]]], np.float32)
    found = layer_storage(FloatLayer(name="b", values=values))
    assert found.values_bytes == 2 * 4
    assert found.formats["dense"] == 4 * 4
    assert found.formats["bitmap"] == -(-(4 + 2 * 32) // 8)


def test_rows_keep_channels_and_taps_apart() -> None:
    weight = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    assert weight_rows(weight, 0).shape == (2, 3, 20)
    assert weight_rows(weight, 1).shape == (3, 2, 20)
    assert weight_rows(weight, 1)[2, 1].tolist() == weight[1, 2].ravel().tolist()
    assert weight_rows(np.zeros((6, 7)), 0).shape == (6, 7, 1)


def test_the_section_adds_the_layers_and_the_coded_weights(anchors) -> None:
    storage = network_storage([sparse_layer(), dataclasses.replace(sparse_layer(), name="b")])
    dense = Workload(calls=(anchors["L1"],), parameters=100, buffers=20)
    found = memory_section(dense, storage, 11, 60)
    assert found.dense_bytes == dense_bytes(dense) == 480
    assert found.formats["dense"] == 2 * storage["a"].formats["dense"]
    assert (found.best_format, found.formats["range_coder"]) == ("range_coder", 11)
    assert found.reduction_percent == pytest.approx(100 * (1 - 60 / 480))
    assert [(row.label, row.after) for row in found.rows()] == [
        ("packed file", 60),
        ("best format (range_coder)", 11),
        ("entropy bound", found.entropy_bound_bytes),
        ("values alone, no index", 2.0),
    ]


def test_a_layer_is_stored_with_its_first_call(anchors) -> None:
    storage = layer_storage(sparse_layer())
    first = storage_columns(anchors["L1"], storage)
    assert (first.dense_bytes, first.best_bytes) == (4 * 432, storage.formats[storage.best_format])
    assert storage_columns(dataclasses.replace(anchors["L1"], call=1), storage) == StorageColumns()
    assert storage_columns(anchors["L1"], None) == StorageColumns(dense_bytes=4 * 432)
