"""Names of an exported graph's convolutions: the layer, and the number of the call."""

from __future__ import annotations

from collections import Counter
from typing import Any

from disparsity.evaluation.sessions.kernels import CALL_SEPARATOR
from disparsity.export.onnx.graph import layer_of

_CONVOLUTIONS = ("Conv", "ConvTranspose")
CODES = ".weight.codes"
"""How the names of stored integer weights end."""
_WEIGHT = ".weight"


def name_calls(graph: Any) -> None:
    """Name every convolution of an ONNX graph of ours after its layer and call, in place."""
    owners = _owners(graph)
    calls: Counter[str] = Counter()
    for node in graph.node:
        if node.op_type in _CONVOLUTIONS:
            layer = owners.get(node.input[1]) or layer_of(node)
            node.name = f"{layer}{CALL_SEPARATOR}{calls[layer]}"
            calls[layer] += 1


def _owners(graph: Any) -> dict[str, str]:
    """The layer of every weight, by the name of its value; a network may use a layer's weight outside of the layer."""
    plain = [item.name for item in graph.initializer if item.name.endswith(_WEIGHT)]
    coded = [node for node in graph.node if node.input and node.input[0].endswith(CODES)]
    return {name: name.removesuffix(_WEIGHT) for name in plain} | {
        node.output[0]: node.input[0].removesuffix(CODES) for node in coded
    }
