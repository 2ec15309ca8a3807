"""Floats and text in the adaptive stream: byte planes, and a text model that mixes the last few characters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from disparsity.hwcost.logistic import LogisticModel, learn_bit
from disparsity.hwcost.rangecoder import Encoder

Bytes = npt.NDArray[np.uint8]

_LEARNED_LIMIT = 1 << 16
"""Planes longer than this are stored as they are: learning costs time, and mantissas are noise."""
_ORDERS = 6


def code_arrays(model: LogisticModel, group: Hashable, arrays: Sequence[npt.NDArray[np.generic]]) -> None:
    """Code arrays of one dtype in place, plane by plane: all highest bytes first, then the next.

    An encoder reads the arrays, a decoder fills them. A plane is learned where that makes it shorter.
    """
    views = [array.reshape(-1).view(np.uint8).reshape(-1, array.dtype.itemsize) for array in arrays if array.size]
    total = sum(len(view) for view in views)
    if not total:
        return
    for plane in range(views[0].shape[1] - 1, -1, -1):
        name = (group, views[0].shape[1] - plane)
        learn = int(total <= _LEARNED_LIMIT and _learning_pays(name, [view[:, plane] for view in views], total))
        code = _learn_plane if model.code(learn, 0.0, (model.named(("learn", name), 1.0),)) else _pass_plane
        for view, column in zip(views, code(model, name, [view[:, plane] for view in views]), strict=True):
            view[:, plane] = column


def code_text(model: LogisticModel, text: bytes) -> bytes:
    """Code a text without zero bytes, and the zero that ends it; a decoder is given ``b""``."""
    read = bytearray()
    while True:
        given = text[len(read)] if len(read) < len(text) else 0
        contexts = [bytes(read[len(read) - order :]) if order else b"" for order in range(min(_ORDERS, len(read) + 1))]
        node = 1
        for shift in range(7, -1, -1):
            features = tuple(model.named((context, node), _text_variance(context)) for context in contexts)
            node = node << 1 | model.code(given >> shift & 1, 0.0, features)
        if node == 256:
            return bytes(read)
        read.append(node - 256)


def _text_variance(context: bytes) -> float:
    return 1.0 + 0.5 * len(context)


def _learning_pays(name: Hashable, columns: list[Bytes], total: int) -> bool:
    trial = Encoder()
    _learn_plane(LogisticModel(trial), name, columns)
    return len(trial.finish()) < total


def _learn_plane(model: LogisticModel, name: Hashable, columns: list[Bytes]) -> list[Bytes]:
    coded = []
    for index, column in enumerate(columns):
        blocks = model.block(name, 256, 2.0).start, model.block((name, index), 256, 0.5).start
        model.coder.reserve(8 * len(column))
        coded.append(_learn_bytes(model.table, (model.coder.state, model.coder.stream), column, blocks))
    return coded


@njit(cache=True)
def _learn_bytes(features: Any, coder: Any, column: Any, blocks: Any) -> Any:
    """Code bytes, highest bit first, every node of the tree a feature of each of the two blocks."""
    read, chosen = np.empty(len(column), np.uint8), np.empty(2, np.int64)
    for at in range(len(column)):
        node = 1
        for shift in range(7, -1, -1):
            chosen[0], chosen[1] = blocks[0] + node, blocks[1] + node
            node = node << 1 | learn_bit(features, coder, column[at] >> shift & 1, 0.0, chosen, 2)
        read[at] = node - 256
    return read


def _pass_plane(model: LogisticModel, name: Hashable, columns: list[Bytes]) -> list[Bytes]:
    del name
    return [np.frombuffer(model.coder.raw(column.tobytes()), np.uint8) for column in columns]
