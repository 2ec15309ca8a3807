"""ONNX graph of a network: traced by torch.export, translated by torch's exporter, simplified here."""

from __future__ import annotations

import ast
import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from disparsity.base.errors import InputError
from disparsity.base.extras import import_extra
from disparsity.evaluation.sessions.metadata import INPUTS, OUTPUT, FileMetadata, to_metadata
from disparsity.export.onnx.qdq import OPSET, qdq_form
from disparsity.stereo.network import StereoNetwork

IR_VERSION = 10
"""Of the file's format, the one that belongs to the opset; ONNX Runtime 1.31 reads up to 13."""
LAYER = "layer"
"""Of the metadata of a node: the module that it was in."""
_SCOPES = "pkg.torch.onnx.name_scopes"
_LONGEST_REASON = 200


class _Finest(nn.Module):
    def __init__(self, network: StereoNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """The finest map."""
        return self.network(left, right)[-1]


def onnx_graph(network: StereoNetwork, metadata: FileMetadata) -> Any:
    """The ``onnx.ModelProto`` of a network: inputs `left` and `right`, output `disparity` ``[1, H, W]`` in pixels.

    Args:
        network: any; not changed.
        metadata: stored in the model's metadata; the input size decides all shapes.

    Raises:
        InputError: an operator cannot be traced or translated (the message names it and its layer), an activation
            quantizer was not calibrated, or a package of the extra is missing.

    """
    for package in ("onnx", "onnxscript"):
        import_extra(package, "onnx")
    with _quiet(), torch.no_grad():
        program = _trace(_Finest(qdq_form(network)).eval(), metadata.input_size)
        model = _translate(program)
    return _tidied(model, metadata)


def layer_of(node: Any) -> str:
    """The module that a node of our graph was in; empty for the network itself."""
    return next((entry.value for entry in node.metadata_props if entry.key == LAYER), "")


def _trace(network: nn.Module, size: tuple[int, int]) -> ExportedProgram:
    """Run the network symbolically; where that fails, say in which layer."""
    names = {module: name for name, module in network.named_modules()}
    inside: list[str] = []
    hooks = [
        nn.modules.module.register_module_forward_pre_hook(lambda module, _: inside.append(names.get(module, ""))),
        nn.modules.module.register_module_forward_hook(lambda *_: (inside.pop(), None)[1]),
    ]
    views = (torch.zeros(1, 3, *size), torch.zeros(1, 3, *size))
    try:
        return torch.export.export(network, views, strict=False)
    except InputError:
        raise
    except Exception as error:
        raise _inexpressible(_first_line(error), inside[-1] if inside else "") from error
    finally:
        for hook in hooks:
            hook.remove()


def _translate(program: ExportedProgram) -> Any:
    try:
        translated = torch.onnx.export(
            program, dynamo=True, opset_version=OPSET, input_names=INPUTS, output_names=[OUTPUT], verbose=False
        )
    except torch.onnx.OnnxExporterError as error:
        cause = error.__cause__ or error
        found = re.search(r"%(\w+) : .*target=([\w.:]+)\]", str(cause))
        operator = found[2].removeprefix("torch.ops.") if found else _first_line(cause)
        raise _inexpressible(operator, _layer_of(program, *found.groups()) if found else "") from error
    assert translated is not None
    return translated.model_proto


def _layer_of(program: ExportedProgram, name: str, target: str) -> str:
    """The module in which a node was traced; the translation may have renamed it, then the first of its operator."""
    nodes = [node for node in program.graph.nodes if f"torch.ops.{node.target}" == target]
    named = [node for node in nodes if node.name == name] or nodes
    stack = named[0].meta.get("nn_module_stack", {}) if named else {}
    return [path for path, _ in stack.values()][-1] if stack else ""


def _inexpressible(operator: str, layer: str) -> InputError:
    where = _plain_name(layer) or "the network itself"
    return InputError("ONNX cannot express an operator of this network", where=where, found=operator)


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines() or [type(error).__name__]
    return text[0][:_LONGEST_REASON]


def _tidied(model: Any, metadata: FileMetadata) -> Any:
    """Names of ours, no paths and source lines of the machine that exported, our metadata."""
    graph = model.graph
    for item in (*graph.initializer, *graph.value_info, *graph.input, *graph.output):
        item.name = _value_name(item.name)
        del item.metadata_props[:]
    for node in graph.node:
        node.input[:] = [_value_name(name) for name in node.input]
        node.output[:] = [_value_name(name) for name in node.output]
        layer = _scope(node)
        del node.metadata_props[:]
        node.metadata_props.add(key=LAYER, value=layer)
        node.doc_string = ""
    del graph.metadata_props[:]
    del model.metadata_props[:]
    graph.name, graph.doc_string, model.ir_version = metadata.network, "", IR_VERSION
    for key, value in to_metadata(metadata).items():
        model.metadata_props.add(key=key, value=value)
    return model


def _scope(node: Any) -> str:
    """The name of the module that a node was traced in; empty for the network itself."""
    scopes = [entry.value for entry in node.metadata_props if entry.key == _SCOPES]
    modules = ast.literal_eval(scopes[0])[:-1] if scopes else []
    return _plain_name(modules[-1]) if modules else ""


def _value_name(name: str) -> str:
    """As `_plain_name`, but names without a dot stay: they could be those of an operator's output."""
    plain = _plain_name(name)
    return plain if "." in plain else name


def _plain_name(name: str) -> str:
    """Names as in the network: without the wrapper, and `weight` for what its parametrization holds."""
    if name == "network":
        return ""
    return re.sub(r"\.parametrizations\.weight\.(0|original)", ".weight", name.removeprefix("network."))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what torch says to its own developers: packages we do not use, its own deprecated calls."""
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
