"""Columns of the layer table: their definitions by name, and the groups in which they are shown."""

from __future__ import annotations

from disparsity.hwcost.layer_table import LayerRow
from disparsity.hwcost.models.quantities import Column, columns_of

COLUMNS: dict[str, Column] = columns_of(LayerRow)

LAYER, WEIGHTS, OPERATIONS, TIME, TRAFFIC, SHAPE = "layer", "weights", "operations", "time", "traffic", "shape"
GROUPS: dict[str, tuple[str, ...]] = {
    LAYER: ("name", "call", "kind"),
    WEIGHTS: (
        "weight_count", "nnz", "sparsity_percent", "bias_count", "weight_bits", "code_bits", "activation_bits",
    ),
    OPERATIONS: (
        "dense_macs", "effectual_macs", "activation_effectual_percent", "joint_effectual_percent", "bops",
        "weight_uses", "fan_in", "weightless_macs", "elementwise_ops", "fused",
    ),
    TIME: (
        "cycles", "utilization", "roofline_cycles", "dense_roofline_cycles", "bound", "intensity_macs_per_byte",
        "dense_intensity_macs_per_byte", "attainable_macs_per_cycle",
    ),
    TRAFFIC: ("sram_bytes", "partial_sum_bytes", "compulsory_dram_bytes", "dram_bytes", "dense_dram_bytes"),
    "sparse execution": (
        "lane_utilization", "balanced_lane_utilization", "skipped_cycles", "balanced_skipped_cycles",
    ),
    "storage": (
        "dense_bytes", "values_bytes", "bitmap_bytes", "coo_bytes", "csr_bytes", "n_of_m_bytes", "run_length_bytes",
        "huffman_bytes", "huffman_gap_bytes", "entropy_bound_bytes", "best_format", "best_bytes",
    ),
    "energy and area": ("mac_energy_pj", "mac_area_um2"),
    "accumulators": ("accumulator_bits", "accumulator_weights_bits", "accumulator_data_bits"),
    "constant multipliers": ("multiplier_adders", "sum_adders", "shifts", "shift_only_percent"),
    SHAPE: (
        "input_shape", "output_shape", "input_elements", "output_elements", "kernel", "stride", "padding",
        "dilation", "groups",
    ),
}  # fmt: skip
"""Groups and their columns in the order in which they are shown; the first group is always."""

GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}
