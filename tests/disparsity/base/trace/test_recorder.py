"""Recorded traces: modules, memory and identities of tensors."""

from __future__ import annotations

import gc
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from disparsity.base.trace.dry_run import trace_network
from disparsity.base.trace.operation import ModuleEnd, ModuleStart, Operation, Trace
from disparsity.base.trace.recorder import Recorder
from disparsity.stereo.networks import build_network


class Steps(nn.Module):
    """Makes 1,000 bytes, then 2,000 from them, and lets go of the first."""

    def forward(self, values: Tensor) -> Tensor:
        first = values.expand(250).clone()
        second = torch.cat([first, first])
        del first
        return (second + 1).sum()


def operations(trace: Trace) -> list[Operation]:
    return [event for event in trace.events if isinstance(event, Operation)]


def test_memory_is_freed_with_the_operation_after_the_last_reference() -> None:
    trace = trace_network(Steps(), (torch.ones(1),))
    made = {event.name: trace.storages[event.made[0].storage] for event in operations(trace)}
    place = {event.name: index for index, event in enumerate(trace.events) if isinstance(event, Operation)}
    assert (made["clone"].nbytes, made["clone"].freed) == (1000, place["add"])
    assert (made["cat"].nbytes, made["cat"].freed) == (2000, None)


class Many(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        for _ in range(50):  # short-lived tensors, whose identities are used again
            values = values + 1.0
            gc.collect(0)
        return values


def test_no_two_tensors_share_a_number() -> None:
    trace = trace_network(Many(), (torch.ones(3),))
    assert len({event.made[0].number for event in operations(trace)}) == 50
    assert len({event.made[0].storage for event in operations(trace)}) == 50


class Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.rand(4, 3, 3, 3))
        self.act = nn.ReLU()

    def forward(self, *, values: Tensor) -> dict[str, Tensor]:
        return {"result": self.act(F.conv2d(values, self.kernel))}


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Inner()

    def forward(self, values: Tensor) -> Tensor:
        return self.inner(values=values)["result"] + self.inner(values=values)["result"]


def test_modules_keywords_and_functional_calls() -> None:
    trace = trace_network(Outer(), (torch.rand(1, 3, 5, 5),))
    starts = [event.stack for event in trace.events if isinstance(event, ModuleStart)]
    assert starts == [("",), ("", "inner"), ("", "inner", "inner.act"), ("", "inner"), ("", "inner", "inner.act")]
    ends = [event for event in trace.events if isinstance(event, ModuleEnd) and event.stack[-1] == "inner"]
    assert [[value.shape for value in (*end.inputs, *end.outputs)] for end in ends] == [
        [(1, 3, 5, 5), (1, 4, 3, 3)]
    ] * 2
    convolutions = [event for event in operations(trace) if event.name == "convolution"]
    assert [event.read[1] for event in convolutions] == [trace.constants["inner.kernel"]] * 2
    assert {event.stack[-1] for event in convolutions} == {"inner"}


class Names(TorchDispatchMode):
    """The names of all operators, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", ["reference", "anynet_spn"])
def test_shapes_alone_and_real_values_give_the_same_operations(name: str) -> None:
    network, views = build_network(name, max_disparity=48).eval(), (torch.rand(1, 3, 32, 64),) * 2
    recorder, plain = Recorder(network), Names()
    with torch.no_grad(), recorder.watching(network):
        outputs = network(*views)
    with torch.no_grad(), plain:
        network(*views)
    dry = trace_network(network, views)
    assert [event.name for event in operations(dry)] == plain.names
    shapes = [event.made[0].shape for event in operations(dry) if event.made]
    assert shapes == [event.made[0].shape for event in operations(recorder.trace(outputs)) if event.made]
