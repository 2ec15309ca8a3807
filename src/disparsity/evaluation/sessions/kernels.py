"""OpenVINO kernels: the implementation chosen for every convolution, read from the compiled graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

CONVOLUTIONS = {
    "Convolution": "Conv",
    "GroupConvolution": "Conv",
    "ConvolutionBackpropData": "ConvTranspose",
    "GroupConvolutionBackpropData": "ConvTranspose",
}
"""OpenVINO's operations, and what torch calls them before the number of dimensions."""
CALL_SEPARATOR = "#"
"""Between a layer's name and the number of its call, in the names that `export` gives to convolutions."""
_EXECUTED = ("Convolution", "Deconvolution")
_INTEGER = ("i8", "u8")


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """What executes one call of a layer.

    Attributes:
        layer: its name in the network.
        call: 0 for the first call of this layer, 1 for the second (a siamese branch), ...
        operator: as torch calls the layer's class, ``ConvTranspose3d``.
        kernel: the runtime's name of its implementation, ``jit_avx2_I8``.
        precision: of the products as the runtime says it, ``u8`` or ``f32``.

    """

    layer: str
    call: int
    operator: str
    kernel: str
    precision: str

    @property
    def integer(self) -> bool:
        """Whether 8-bit integers are multiplied."""
        return self.precision in _INTEGER


def chosen_kernels(model: Any, compiled: Any) -> list[Kernel]:
    """The kernels of all convolutions, in the order of the network.

    Args:
        model: the ``openvino.Model`` that was compiled, whose convolutions are named by `name_calls`.
        compiled: the ``openvino.CompiledModel``.

    """
    executed = [_runtime_info(node) for node in compiled.get_runtime_model().get_ordered_ops()]
    executed = [info for info in executed if info["layerType"] in _EXECUTED]
    asked = [node for node in model.get_ordered_ops() if node.get_type_name() in CONVOLUTIONS]
    return [_kernel(node, info) for node, info in _matched(asked, executed)]


def kernel_table(kernels: Sequence[Kernel], widened: int = 0) -> str:
    """The kernels as lines of text, a summary first.

    Args:
        kernels: of one network.
        widened: how many layers run in float since this machine's integer sums could not hold theirs.

    """
    integer = sum(kernel.integer for kernel in kernels)
    lines = [f"kernels of OpenVINO on this machine: {integer} of {len(kernels)} convolutions in 8-bit integers"]
    if widened:
        lines.append(f"  {widened} layers with weights of 8 bits run in float: integer sums would saturate here")
    width = max((len(call_text(kernel)) for kernel in kernels), default=0)
    for kernel in kernels:
        lines.append(f"  {kernel.precision:4} {kernel.operator:15} {call_text(kernel):{width}}  {kernel.kernel}")
    return "\n".join(lines)


def call_text(kernel: Kernel) -> str:
    """The layer, with the number of the call from the second on."""
    return f"{kernel.layer} (call {kernel.call + 1})" if kernel.call else kernel.layer


def call_of(name: str) -> tuple[str, int] | None:
    """The layer and 0 for its first call, 1 for its second (a siamese branch), ..., from such a name, else None."""
    layer, separator, call = name.rpartition(CALL_SEPARATOR)
    return (layer, int(call)) if separator and call.isdecimal() else None


def _matched(asked: Sequence[Any], executed: list[dict[str, str]]) -> Iterator[tuple[Any, dict[str, str]]]:
    """Pair by name; a convolution that lost its name when a factor was fused into it takes the next unpaired node."""
    by_name = {name: info for info in executed for name in info["originalLayersNames"].split(",")}
    found = [next((by_name[n] for n in _names(node) if n in by_name), None) for node in asked]
    taken = {id(info) for info in found}
    rest = iter([info for info in executed if id(info) not in taken])
    for node, info in zip(asked, found, strict=True):
        yield node, info if info is not None else next(rest)


def _names(node: Any) -> list[str]:
    """Names of a convolution: its own, without the ending of one that has a bias, and that of the bias's addition."""
    own = node.get_friendly_name()
    after = [target.get_node().get_friendly_name() for target in node.output(0).get_target_inputs()]
    return [own, own.removesuffix("/WithoutBiases"), *after]


def _kernel(node: Any, info: dict[str, str]) -> Kernel:
    names = _names(node)
    layer, call = next((found for name in names if (found := call_of(name)) is not None), (names[0], 0))
    axes = len(node.get_output_shape(0)) - 2
    return Kernel(
        layer=layer,
        call=call,
        operator=f"{CONVOLUTIONS[node.get_type_name()]}{axes}d",
        kernel=info["primitiveType"],
        precision=info["runtimePrecision"],
    )


def _runtime_info(node: Any) -> dict[str, str]:
    info = node.get_rt_info()
    wanted = ("layerType", "primitiveType", "runtimePrecision", "originalLayersNames")
    return {name: info[name].astype(str) for name in wanted}
