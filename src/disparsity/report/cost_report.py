"""Report of costs alone: a network beside its own dense form."""

from __future__ import annotations

from typing import Any

from disparsity.cost import cost_sections, dense_form
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.tracing.activation_statistics import Observation
from disparsity.report.schema import SCHEMA, VERSION, empty_report
from disparsity.stereo.network import StereoNetwork


def cost_report(
    network: StereoNetwork, size: tuple[int, int], machine: Machine, observation: Observation | None = None
) -> dict[str, Any]:
    """A report of costs alone; a compressed network is compared with its own dense form.

    Raises:
        InputError: an input that is too large.

    """
    sections = cost_sections(dense_form(network), network, None, size, machine, observation)
    return {**empty_report(), **sections, "schema": SCHEMA, "version": VERSION}
