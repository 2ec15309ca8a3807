"""Requirements on the module of a user's network that show without running it."""

from __future__ import annotations

from dataclasses import asdict

import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn
from torch.nn.parameter import is_lazy

from disparsity.base.errors import InputError
from disparsity.stereo.spec import NetworkSpec

_WRAPPERS = {
    "OptimizedModule": "torch.compile",
    "ScriptModule": "torch.jit",
    "DataParallel": "DataParallel",
    "DistributedDataParallel": "DistributedDataParallel",
}


def check_module(module: nn.Module, name: str) -> None:
    """Refuse a module that no stage could copy, trace or train.

    Raises:
        InputError: it is wrapped, has layers without a shape, parameters of another type than float32, or a method
            `train` that does not return the module.

    """
    kinds = {kind.__name__ for kind in type(module).__mro__}
    wrapper = next((wrapper for kind, wrapper in _WRAPPERS.items() if kind in kinds), None)
    if wrapper is not None:
        raise InputError("the module is wrapped", where=name, found=wrapper, expected="the plain module")
    for key, value in (*module.named_parameters(), *module.named_buffers()):
        if is_lazy(value):
            remedy = "give its number of channels, or run the network once before it is returned"
            raise InputError("a lazy layer has no shape yet", where=name, found=key, remedy=remedy)
    for key, parameter in module.named_parameters():
        if parameter.dtype != torch.float32:
            found = f"{key} of {str(parameter.dtype).removeprefix('torch.')}"
            raise InputError("parameters of another type", where=name, found=found, expected="float32: .float()")
    if module.train(module.training) is not module:
        raise InputError("its method train returns something else", where=name, expected="return self")


def checked_spec(spec: NetworkSpec, name: str) -> NetworkSpec:
    """The spec with lists as tuples and whole floats as integers.

    Raises:
        InputError: a field has another type, or a value is out of range.

    """
    try:
        spec = TypeAdapter(NetworkSpec).validate_python(asdict(spec))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise InputError(
            "impossible spec", where=name, found=f"{field} = {first['input']!r}", expected=first["msg"]
        ) from None
    ranges = {
        "divisor": (spec.divisor >= 1, "1 or more"),
        "max_disparity": (spec.max_disparity >= 1, "1 or more"),
        "std": (min(spec.std) > 0, "above 0"),
        "loss_weights": (
            bool(spec.loss_weights) and min(spec.loss_weights) >= 0 < sum(spec.loss_weights),
            "0 or more, one above 0",
        ),
    }
    for field, (holds, expected) in ranges.items():
        if not holds:
            raise InputError(
                "impossible spec", where=name, found=f"{field} = {getattr(spec, field)}", expected=expected
            )
    return spec
