"""Measured latency: wall-clock times of a run's networks on the machine that made its report."""

from __future__ import annotations

from dataclasses import dataclass

from disparsity.hwcost.models.quantities import Number, Size


@dataclass(frozen=True, kw_only=True)
class MeasuredRow:
    """Times of one network in one runtime, and what is known of its file and its convolutions."""

    network: str
    runtime: str
    median_ms: Number | None
    quartiles_ms: tuple[Number, Number] | None
    lowest_ms: Number | None
    file_bytes: int | None
    convolutions: int | None
    integer_convolutions: int | None


@dataclass(frozen=True, kw_only=True)
class MeasuredLatency:
    """Times where they were requested; the networks took turns.

    Attributes:
        runtime: that ran all networks; the dense one was run in torch too.
        processor: its model.
        threads: of torch.
        runs: of every network, after `warm_up` more.
        warm_up: runs that were not counted.
        input_size: height and width.
        rows: one per network and runtime.
        warnings: where integers are no gain on this machine.

    """

    runtime: str | None
    processor: str | None
    threads: int | None
    runs: int | None
    warm_up: int | None
    input_size: Size | None
    rows: tuple[MeasuredRow, ...]
    warnings: tuple[str, ...]
