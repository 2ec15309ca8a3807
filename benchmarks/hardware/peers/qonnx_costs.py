"""Build a QONNX graph of layers and ask qonnx (from the environment this runs in) for its inference cost."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.inference_cost import inference_cost

IR_VERSION = 10


def graph(layers: list[dict[str, Any]], weights: dict[str, np.ndarray]) -> ModelWrapper:
    """Every call a node of its own between a graph input and a graph output; calls of one layer share its weight."""
    nodes, inputs, outputs = [], [], []
    for index, layer in enumerate(layers):
        names = f"in{index}", f"out{index}"
        inputs.append(helper.make_tensor_value_info(names[0], TensorProto.FLOAT, layer["input_shape"]))
        outputs.append(helper.make_tensor_value_info(names[1], TensorProto.FLOAT, layer["output_shape"]))
        nodes.append(helper.make_node(layer["op"], [names[0], layer["weight"]], [names[1]], **layer["attributes"]))
    stored = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    made = helper.make_graph(nodes, "layers", inputs, outputs, initializer=stored)
    model = ModelWrapper(helper.make_model(made, ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", 17)]))
    for index, layer in enumerate(layers):
        model.set_tensor_datatype(f"in{index}", DataType[f"UINT{layer['activation_bits']}"])
        model.set_tensor_datatype(layer["weight"], DataType[f"INT{layer['weight_bits']}"])
    return model


def main() -> None:
    job = json.load(sys.stdin)
    answer = []
    for network in job["networks"]:
        weights = dict(np.load(network["weights"]))
        costs = {}
        for name, discount in (("dense", False), ("discounted", True)):
            model = graph(network["layers"], weights)
            costs[name] = inference_cost(model, discount_sparsity=discount, cost_breakdown=True)
        answer.append(costs)
    Path(sys.argv[1]).write_text(json.dumps({"networks": answer}))


if __name__ == "__main__":
    main()
