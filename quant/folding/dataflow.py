"""Dataflow between modules: whose output is read by which operations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from disparsity.base.trace.operation import ModuleEnd, ModuleStart, Operation, Trace, TracedTensor

OTHER = None
"""Stands for a reader or a source that is not among the modules asked for."""


@dataclass(frozen=True, kw_only=True)
class Dataflow:
    """Edges between modules, one entry per tensor and call.

    Attributes:
        readers: by producer in order of execution, who reads its outputs: a consumer, or None for anything else,
            such as an addition, the network's output, or none.
        sources: by consumer, who made its inputs: a producer, or None for anything else.

    """

    readers: dict[str, list[str | None]]
    sources: dict[str, set[str | None]]


def dataflow(trace: Trace, *, producers: Collection[str], consumers: Collection[str]) -> Dataflow:
    """Match tensors by identity.

    Beginnings and ends of modules say who made a tensor and which consumer got it; the operations between them say
    whether anything else read it, also outside of modules.
    """
    made: dict[int, str] = {}
    taken: dict[int, list[str]] = defaultdict(list)
    reads: Counter[int] = Counter()
    sources: dict[str, set[str | None]] = defaultdict(set)
    for event in trace.events:
        if isinstance(event, Operation):
            reads.update(value.number for value in event.read)
        elif isinstance(event, ModuleStart) and event.stack[-1] in consumers:
            number = _first(event.inputs)
            taken[number].append(event.stack[-1])
            sources[event.stack[-1]].add(made.get(number, OTHER))
        elif isinstance(event, ModuleEnd) and event.stack[-1] in producers:
            number = _first(event.outputs)
            made[number] = event.stack[-1]
            reads.pop(number, None)  # what happens inside of the producer is its own affair
            taken.pop(number, None)
    readers: dict[str, list[str | None]] = defaultdict(list)
    returned = {value.number for value in trace.outputs}
    for number, producer in made.items():
        private = len(taken[number]) == 1 and reads[number] == 1 and number not in returned
        readers[producer].append(taken[number][0] if private else OTHER)
    return Dataflow(readers=dict(readers), sources=dict(sources))


def _first(values: tuple[TracedTensor, ...]) -> int:
    return values[0].number
