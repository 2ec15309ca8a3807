"""The columns of the layer table: what each is called, its unit, how it is computed, and where the formula is from.

One registry for the HTML page, the Markdown report and the columns of layers.csv.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the layer table.

    Attributes:
        group: under which heading it is shown and hidden.
        title: without its unit.
        unit: empty for names, counts of things that the title names, and shapes.
        formula: in words and signs that anybody can recompute it from.
        source: of a formula that is not a definition; empty otherwise.

    """

    group: str
    title: str
    formula: str
    unit: str = ""
    source: str = ""

    @property
    def label(self) -> str:
        """The heading: title and unit."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title

    @property
    def explanation(self) -> str:
        """Formula and source in one line."""
        return f"{self.formula}. Source: {self.source}" if self.source else self.formula


LAYER, SHAPE, WEIGHTS, OPERATIONS = "layer", "shape", "weights", "operations"
STORAGE, ENERGY, TIME, TRAFFIC = "storage", "energy and area", "time", "traffic"
SPARSE, ACCUMULATORS, MULTIPLIERS = "sparse execution", "accumulators", "constant multipliers"
GROUPS = (
    LAYER, WEIGHTS, OPERATIONS, TIME, TRAFFIC, SPARSE, STORAGE, ENERGY, ACCUMULATORS, MULTIPLIERS, SHAPE,
)  # fmt: skip
"""In the order in which they are shown; the first is always."""

_SCALESIM = "Samajdar et al., SCALE-Sim, 2018, section 3"
_TILING = "Zhang et al., FPGA 2015, section 4.2"
_ROOFLINE = "Williams et al., Roofline, CACM 2009"
_LANES = "Parashar et al., SCNN, ISCA 2017, section V"
_BALANCED = "Gondimalla et al., SparTen, MICRO 2019, section 4"
_CSD = "Avizienis, IRE 1961"

COLUMNS: dict[str, Column] = {
    "name": Column(group=LAYER, title="layer", formula="module path of the layer in the network"),
    "call": Column(
        group=LAYER,
        title="call",
        formula="number of the execution; a siamese layer runs once per view and stores its weights once",
    ),
    "kind": Column(
        group=LAYER,
        title="kind",
        formula="class of a layer with weights, or the kind of work of a part without",
    ),
    "weight_count": Column(
        group=WEIGHTS,
        title="weights",
        formula="Co × Ci / g × kernel, stored once however often the layer is called",
    ),
    "nnz": Column(
        group=WEIGHTS, title="non-zero", formula="weights that are not exactly zero after masking and quantization"
    ),
    "sparsity_percent": Column(
        group=WEIGHTS, title="sparsity", unit="%", formula="100 × (1 − non-zero / weights)"
    ),
    "bias_count": Column(group=WEIGHTS, title="biases", formula="one per output channel, or none"),
    "weight_bits": Column(group=WEIGHTS, title="weights", unit="bit", formula="width of one weight; 32 is float"),
    "code_bits": Column(
        group=WEIGHTS,
        title="weight codes",
        unit="bit",
        formula="width of the integers that the weights are; powers of two are stored in fewer; 0 in float",
    ),
    "activation_bits": Column(
        group=WEIGHTS, title="activations", unit="bit", formula="width of one element of the input; 32 is float"
    ),
    "dense_macs": Column(
        group=OPERATIONS,
        title="dense MACs",
        formula="weights × weight uses, plus the products of parts without weights",
    ),
    "effectual_macs": Column(
        group=OPERATIONS,
        title="effectual MACs",
        formula="non-zero × weight uses, plus the products of parts without weights",
    ),
    "activation_effectual_percent": Column(
        group=OPERATIONS,
        title="activation not 0",
        unit="% of MACs",
        formula="100 × products whose activation is not zero / dense MACs, counted on the measured pairs",
    ),
    "joint_effectual_percent": Column(
        group=OPERATIONS,
        title="both not 0",
        unit="% of MACs",
        formula="100 × products whose weight and activation are not zero / dense MACs, counted jointly on the pairs",
    ),
    "bops": Column(
        group=OPERATIONS,
        title="BOPs",
        formula="effectual MACs × weight bits × activation bits",
        source="QONNX inference cost; van Baalen et al., Bayesian Bits, NeurIPS 2020",
    ),
    "weight_uses": Column(
        group=OPERATIONS,
        title="weight uses",
        formula="N × output positions (transposed convolution: input positions)",
    ),
    "fan_in": Column(group=OPERATIONS, title="fan-in", formula="products summed into one output"),
    "weightless_macs": Column(
        group=OPERATIONS, title="weightless MACs", formula="products of a part without weights, of dense MACs"
    ),
    "elementwise_ops": Column(
        group=OPERATIONS,
        title="element-wise operations",
        formula="scalar operations of a part without weights, products and sums alike",
    ),
    "fused": Column(
        group=OPERATIONS,
        title="fused",
        formula="whether a part works on the output of the layer before while it is at hand, so that only other "
        "operands move",
    ),
    "cycles": Column(
        group=TIME,
        title="cycles",
        formula="of the plain array, nothing skipped, memory not waited for; as matrix product Sr × T × Sc on R × C: "
        "os ⌈Sr/R⌉⌈Sc/C⌉(T+R+C−2)−1, ws ⌈T/R⌉⌈Sc/C⌉(Sr+2R+C−2)−1, is ⌈T/R⌉⌈Sr/C⌉(Sc+2R+C−2)−1",
        source=_SCALESIM,
    ),
    "utilization": Column(group=TIME, title="utilization", formula="dense MACs / (R × C × cycles), 0..1"),
    "roofline_cycles": Column(
        group=TIME,
        title="cycles with memory",
        formula="max(cycles, DRAM bytes / bandwidth): transfers and products overlap",
        source=_ROOFLINE,
    ),
    "dense_roofline_cycles": Column(
        group=TIME,
        title="dense cycles with memory",
        formula="as cycles with memory, of the dense network in float32",
        source=_ROOFLINE,
    ),
    "bound": Column(
        group=TIME,
        title="bound by",
        formula="memory where the transfer takes longer than the products, else compute",
        source=_ROOFLINE,
    ),
    "intensity_macs_per_byte": Column(
        group=TIME, title="intensity", unit="MAC/B", formula="dense MACs / DRAM bytes", source=_ROOFLINE
    ),
    "dense_intensity_macs_per_byte": Column(
        group=TIME,
        title="dense intensity",
        unit="MAC/B",
        formula="as intensity, of the dense network in float32",
        source=_ROOFLINE,
    ),
    "attainable_macs_per_cycle": Column(
        group=TIME,
        title="roof",
        unit="MAC/cycle",
        formula="min(R × C, intensity × bandwidth)",
        source=_ROOFLINE,
    ),
    "sram_bytes": Column(
        group=TRAFFIC,
        title="buffer traffic",
        unit="B",
        formula="activations and weights that the array reads at their widths, and partial sums; ws: Sr T ⌈Sc/C⌉ "
        "inputs, T Sc weights; os: Sr T ⌈Sc/C⌉ and Sc T ⌈Sr/R⌉; is: Sr T and T Sc ⌈Sr/C⌉",
        source=_SCALESIM,
    ),
    "partial_sum_bytes": Column(
        group=TRAFFIC,
        title="partial sums",
        unit="B",
        formula="sums written and read again at the accumulator's width: Sr Sc (2 folds − 1), folds ⌈T/R⌉ (os: 1)",
        source=_SCALESIM,
    ),
    "compulsory_dram_bytes": Column(
        group=TRAFFIC,
        title="least DRAM traffic",
        unit="B",
        formula="every weight (zeros included), input and output once, at their widths",
    ),
    "dram_bytes": Column(
        group=TRAFFIC,
        title="DRAM traffic",
        unit="B",
        formula="with the tiles of least traffic whose inputs, weights and sums fit into the buffer together",
        source=_TILING,
    ),
    "dense_dram_bytes": Column(
        group=TRAFFIC,
        title="dense DRAM traffic",
        unit="B",
        formula="as DRAM traffic, of the dense network in float32",
        source=_TILING,
    ),
    "lane_utilization": Column(
        group=SPARSE,
        title="lane utilization",
        formula="Σ non-zero / (lanes × Σ over groups of the largest non-zero), one filter per lane in lock-step, 0..1",
        source=_LANES,
    ),
    "balanced_lane_utilization": Column(
        group=SPARSE,
        title="lane utilization, balanced",
        formula="as lane utilization, the filters sorted by their non-zero weights first",
        source=_BALANCED,
    ),
    "skipped_cycles": Column(
        group=SPARSE,
        title="cycles, skipping",
        formula="cycles × steps of the lanes without zeros / steps with; gating takes as many as dense",
        source=_LANES,
    ),
    "balanced_skipped_cycles": Column(
        group=SPARSE,
        title="cycles, skipping balanced",
        formula="as cycles, skipping, the filters sorted first",
        source=_BALANCED,
    ),
    "dense_bytes": Column(group=STORAGE, title="dense", unit="B", formula="4 × weights (fp32)"),
    "values_bytes": Column(
        group=STORAGE, title="values alone", unit="B", formula="non-zero × weight bits / 8, without any index"
    ),
    "bitmap_bytes": Column(
        group=STORAGE, title="bitmap", unit="B", formula="(weights + non-zero × bits) / 8, scales included"
    ),
    "coo_bytes": Column(
        group=STORAGE,
        title="coordinates",
        unit="B",
        formula="non-zero × (bits + ceil(log2(weights))) / 8, scales included",
    ),
    "csr_bytes": Column(
        group=STORAGE,
        title="CSR",
        unit="B",
        formula="(non-zero × (bits + ceil(log2 K)) + (Co + 1) × ceil(log2(non-zero + 1))) / 8, scales included",
    ),
    "n_of_m_bytes": Column(
        group=STORAGE,
        title="N:M",
        unit="B",
        formula="as encoded: blocks of M weights of which at most N are stored, with ceil(log2 M) bits of place each",
    ),
    "run_length_bytes": Column(
        group=STORAGE,
        title="run-length",
        unit="B",
        formula="entries × (bits + run bits) / 8: an entry per non-zero and one filler per overlong run, best run bits",
        source="Chen et al., Eyeriss, JSSC 2017",
    ),
    "huffman_bytes": Column(
        group=STORAGE, title="Huffman", unit="B", formula="as encoded: one code per value, zero included, and its table"
    ),
    "huffman_gap_bytes": Column(
        group=STORAGE,
        title="Huffman, gaps",
        unit="B",
        formula="as encoded: one code per non-zero value and one per gap before it, and both tables",
        source="Han et al., Deep Compression, ICLR 2016",
    ),
    "entropy_bound_bytes": Column(
        group=STORAGE,
        title="entropy bound",
        unit="B",
        formula="(weights × h(density) + non-zero × H(value | non-zero)) / 8",
        source="Shannon 1948",
    ),
    "best_format": Column(
        group=STORAGE, title="best format", formula="the storage format with the fewest bytes for this layer"
    ),
    "best_bytes": Column(
        group=STORAGE, title="best", unit="B", formula="bytes in the best format: values, index, tables and scales"
    ),
    "mac_energy_pj": Column(
        group=ENERGY,
        title="MAC energy",
        unit="pJ",
        formula="effectual MACs × (multiply + accumulate energy at these bits)",
        source="the profile that the report names",
    ),
    "mac_area_um2": Column(
        group=ENERGY,
        title="MAC area × work",
        unit="µm²",
        formula="effectual MACs × (multiplier + adder area at these bits): a ratio between networks, no chip area",
        source="the profile that the report names",
    ),
    "accumulator_bits": Column(
        group=ACCUMULATORS,
        title="worst case",
        unit="bit",
        formula="weight bits + activation bits + ceil(log2(fan-in)); 32 in floating point",
    ),
    "accumulator_weights_bits": Column(
        group=ACCUMULATORS,
        title="for these weights",
        unit="bit",
        formula="bits of max over filters Σ|weight| × largest code of the input's grid, and a sign",
        source="Colbert et al., A2Q, ICCV 2023, section 3",
    ),
    "accumulator_data_bits": Column(
        group=ACCUMULATORS,
        title="on the pairs",
        unit="bit",
        formula="bits of max over filters Σ|weight| × largest code seen in the measured pairs, and a sign",
        source="Colbert et al., A2Q, ICCV 2023, section 3",
    ),
    "multiplier_adders": Column(
        group=MULTIPLIERS,
        title="adders in multipliers",
        formula="Σ over weights of canonical signed digits − 1, digits = popcount(n xor 3n); 0 for 0 and ±2^k",
        source=_CSD,
    ),
    "sum_adders": Column(
        group=MULTIPLIERS, title="adders of sums", formula="Σ over filters of non-zero weights − 1"
    ),
    "shifts": Column(
        group=MULTIPLIERS, title="shifts alone", formula="weights ±2^k with k > 0: a shifted input and nothing more"
    ),
    "shift_only_percent": Column(
        group=MULTIPLIERS,
        title="no adder",
        unit="% of non-zero",
        formula="100 × non-zero weights ±2^k / non-zero weights",
    ),
    "input_shape": Column(group=SHAPE, title="input", formula="[N, C, spatial...] of the first input"),
    "output_shape": Column(group=SHAPE, title="output", formula="[N, C, spatial...]"),
    "input_elements": Column(group=SHAPE, title="input elements", formula="elements of all inputs together"),
    "output_elements": Column(group=SHAPE, title="output elements", formula="product of the output's shape"),
    "kernel": Column(group=SHAPE, title="kernel", formula="kernel size along each spatial axis"),
    "stride": Column(group=SHAPE, title="stride", formula="step of the kernel along each spatial axis"),
    "padding": Column(group=SHAPE, title="padding", formula="zeros added at each end of each spatial axis"),
    "dilation": Column(
        group=SHAPE, title="dilation", formula="distance of the kernel's taps along each spatial axis"
    ),
    "groups": Column(
        group=SHAPE, title="groups", formula="channel groups g; each output channel reads Ci / g input channels"
    ),
}  # fmt: skip


def column(name: str) -> Column:
    """A column by its name in layers.csv; one that nobody has written down is shown by its name alone, under layer."""
    return COLUMNS.get(name) or Column(group=LAYER, title=name.replace("_", " "), formula="")


def grouped(names: list[str]) -> dict[str, list[str]]:
    """The columns that are there by group, groups and columns in the order of this file; unknown ones last."""
    order = list(COLUMNS)
    known = sorted(names, key=lambda name: order.index(name) if name in COLUMNS else len(order))
    found = {group: [name for name in known if column(name).group == group] for group in GROUPS}
    return {group: members for group, members in found.items() if members}
