"""Report of costs alone, of a network beside its own dense form."""

from __future__ import annotations

from disparsity.cost import cost_sections, dense_form
from disparsity.evaluation.measured_latency import MeasuredLatency
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.tracing.activation_statistics import Observation
from disparsity.report.report import Report, RunMemorySection, unknown
from disparsity.report.settings import SettingsSection
from disparsity.stereo.network import StereoNetwork


def cost_report(
    network: StereoNetwork, size: tuple[int, int], machine: Machine, observation: Observation | None = None
) -> Report:
    """A report of costs alone; a compressed network is compared with its own dense form.

    Raises:
        InputError: an input that is too large.

    """
    costs = cost_sections(dense_form(network), network, size, machine, observation=observation)
    return Report(
        **{**vars(costs), "memory": RunMemorySection(**vars(costs.memory))},
        accuracy=(),
        measured_latency=unknown(MeasuredLatency),
        settings=unknown(SettingsSection),
    )
