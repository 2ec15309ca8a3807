"""Byte coder of the adaptive stream: floats as byte planes, and a text model that mixes the last few characters.

The text model stays because bytes decide: the header of reference takes 814 bytes, of stereonet 813, of
psmnet_hourglass 1,270; zlib's deflate at level 9 takes 973, 972 and 2,057.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from disparsity.hwcost.codec.context_model import MOST_FEATURES, LogisticModel, learn_bit
from disparsity.hwcost.codec.range_coder import Encoder

Bytes = npt.NDArray[np.uint8]

_LEARNED_LIMIT = 1 << 16
"""Planes longer than this are stored as they are: learning costs time, and mantissas are noise."""
_ORDERS = 6
_LONGEST_TEXT = 1 << 24


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
    """Code a text without zero bytes, and the zero that ends it; a decoder is given ``b""``.

    Raises:
        ValueError: what is read does not end.

    """
    model.coder.reserve(8 * (len(text) + 1))
    given = np.frombuffer(text, np.uint8).copy()
    return bytes(_code_characters((model.coder.state, model.coder.stream), given).tobytes())


@njit(cache=True)
def _code_characters(coder: Any, given: Any) -> Any:
    """Code characters bit by bit; a feature for every node after each of the last 0, 1, ... characters.

    The features live in a hash table with open addresses: `keys` names the feature in each place, -1 where none is.
    """
    keys, features, held = np.full(1 << 14, -1), np.zeros((1 << 14, 3)), 0
    read, chosen, length = np.empty(1 << 10, np.uint8), np.empty(MOST_FEATURES, np.int64), 0
    while length < _LONGEST_TEXT:
        character = given[length] if length < len(given) else 0
        orders, node = min(_ORDERS, length + 1), 1
        if 2 * (held + 8 * orders) > len(keys):
            keys, features = _doubled(keys, features)
        for shift in range(7, -1, -1):
            for order in range(orders):
                key = _key(read, length, order, node)
                place = _place(keys, key)
                if keys[place] < 0:
                    keys[place], features[place, 1] = key, 1.0 + 0.5 * order
                    held += 1
                chosen[order] = place
            node = node << 1 | learn_bit(features, coder, character >> shift & 1, 0.0, chosen, orders)
        if node == 256:
            return read[:length].copy()
        if length == len(read):
            read = np.append(read, read)
        read[length] = node - 256
        length += 1
    raise ValueError("a text without end")


@njit(cache=True)
def _key(read: Any, length: int, order: int, node: int) -> int:
    """The last `order` characters (at most five), their number and the node, as one whole number."""
    context = 0
    for at in range(length - order, length):
        context = context << 8 | read[at]
    return (context << 3 | order) << 8 | node


@njit(cache=True)
def _place(keys: Any, key: int) -> int:
    """Where `key` is, or may be put."""
    mask = len(keys) - 1
    place = (key ^ key >> 17 ^ key >> 31) * 40503 & mask
    while keys[place] >= 0 and keys[place] != key:
        place = place + 1 & mask
    return place


@njit(cache=True)
def _doubled(keys: Any, features: Any) -> Any:
    """Both tables at twice the size."""
    more_keys, more_features = np.full(2 * len(keys), -1), np.zeros((2 * len(keys), 3))
    for place in range(len(keys)):
        if keys[place] >= 0:
            other = _place(more_keys, keys[place])
            more_keys[other], more_features[other] = keys[place], features[place]
    return more_keys, more_features


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
