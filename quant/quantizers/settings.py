"""Settings of the quantizers, as far as they have any beside bits and the first steps."""

from __future__ import annotations

from dataclasses import dataclass

from disparsity.base.errors import InputError

GRANULARITIES = ("per_tensor", "per_channel", "per_group")
TERNARY_SCALES = ("norm", "initialisation")
TRANSFORM_BASES = ("elt", "klt")
TRANSFORM_SIDES = ("row", "column")


@dataclass(frozen=True, kw_only=True)
class QuantizerSettings:
    """What single quantizers can be told.

    Attributes:
        other_quantizer: takes the layers whose bits `quantizer` does not have, such as the first layers' 8 bits beside
            ternary weights.
        granularity: which weights share a step: `per_channel`, `per_tensor`, or `per_group` of output channels.
        group_size: consecutive output channels of such a group; the last group may be smaller.
        percentile: of the magnitudes, where the rule `percentile` clips; 100 clips nothing.
        term_bits: bits of every power of two in a sum, of `additive_power_of_two`; 1 is a uniform grid.
        ternary_threshold: weights below this share of their channel's mean magnitude become 0, of `ternary`; at 0 only
            pruned weights are 0.
        ternary_scale: `norm` keeps a channel's norm; `initialisation` leaves it to that rule, e.g. `mse`.
        scale_clip: where `scale_clip` clips, in mean magnitudes of a group's non-zero weights.
        transform_basis: of `transform`: `elt` looks at the network's gradients, `klt` at the weights alone.
        transform_side: which channels it mixes: `row`, the input's, or `column`, the output's.
        mixing_bits: of the matrix that mixes them.
        transform_blocks: blocks of rows whose steps are chosen by the distortion of the network's output; 0 keeps the
            steps with the smallest error of the rows themselves.
        transform_probes: random projections of the output, per calibration pair, that the gradients are taken of.

    """

    other_quantizer: str = "lsq"
    granularity: str = "per_channel"
    group_size: int = 16
    percentile: float = 99.9
    term_bits: int = 2
    ternary_threshold: float = 0.7
    ternary_scale: str = "initialisation"
    scale_clip: float = 2.0
    transform_basis: str = "elt"
    transform_side: str = "row"
    mixing_bits: int = 4
    transform_blocks: int = 8
    transform_probes: int = 4

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for name, value, allowed in (
            ("granularity", self.granularity, GRANULARITIES),
            ("ternary_scale", self.ternary_scale, TERNARY_SCALES),
            ("transform_basis", self.transform_basis, TRANSFORM_BASES),
            ("transform_side", self.transform_side, TRANSFORM_SIDES),
        ):
            if value not in allowed:
                raise InputError("unknown name", where=name, found=value, expected=", ".join(allowed))
        for name, holds, expected in (
            ("group_size", self.group_size >= 1, "1 or more"),
            ("percentile", 0 < self.percentile <= 100, "above 0, at most 100"),
            ("term_bits", 1 <= self.term_bits <= 15, "1..15"),
            ("ternary_threshold", 0 <= self.ternary_threshold < 1, "0 or more, below 1"),
            ("scale_clip", 0 < self.scale_clip <= 100, "above 0, at most 100"),
            ("mixing_bits", 2 <= self.mixing_bits <= 8, "2..8"),
            ("transform_blocks", self.transform_blocks >= 0, "0 or more"),
            ("transform_probes", self.transform_probes >= 1, "1 or more"),
        ):
            if not holds:
                raise InputError("out of range", where=name, found=getattr(self, name), expected=expected)

    def channels_per_step(self, channels: int) -> int:
        """How many output channels of a layer with so many share a step."""
        sizes = {"per_channel": 1, "per_tensor": channels, "per_group": min(self.group_size, channels)}
        return max(1, sizes[self.granularity])
