"""Sections of a recipe: network, data, pruning, quantization, report."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from disparsity.base.choice import names_of
from disparsity.base.settings import Count, NonNegative, PositiveCount, settings
from disparsity.base.settings_errors import Mistake
from disparsity.datasets.augmentation.settings import NO_AUGMENTATION, AugmentationSettings
from disparsity.finetune.modes.settings import FrozenSettings, ModeSettings
from disparsity.finetune.reconstruction.settings import ReconstructRoundingSettings, RoundingSettings
from disparsity.finetune.settings import TrainSettings
from disparsity.pruning.schedules import event_steps
from disparsity.pruning.settings import PruneSettings
from disparsity.quant.activations.settings import AutoRuleSettings, RuleSettings
from disparsity.quant.allocations.settings import AllocationSettings, BudgetSettings, UniformAllocationSettings
from disparsity.quant.bits import FLOAT_BITS
from disparsity.quant.quantizers.settings import LSQSettings, QuantizerSettings
from disparsity.quant.settings import BitSettings
from disparsity.recipe.size import Size

_MOST_PROCESSES = 256


@settings
class NetworkSection:
    """Which network, and the weights it starts from.

    Attributes:
        name: preset name, or `module:callable` of a network of your own.
        checkpoint: `builtin:NAME`, a checkpoint of ours, a published file, or empty for fresh weights.
        max_disparity: of the cost volume in pixels, for fresh weights and published files; 0 takes the preset's.

    """

    name: str = "reference"
    checkpoint: str = ""
    max_disparity: Count = 0


@settings
class DataSection:
    """What is trained on and what is judged on, as data URIs.

    Attributes:
        train: URIs that training batches are drawn from.
        weights: how often each of them is drawn; empty samples uniformly.
        test: URIs that are only evaluated.
        batch: pairs per step.
        workers: processes that make the batches ahead; 0 makes them in turn with the training. The bits are the same.
        mixed_sizes: `refuse` pairs smaller than the crop, or whole pairs of several sizes in a batch; or `pad` them at
            the top and on the right, where nothing is scored.
        crop: `HxW` of the random training crops, or empty for whole pairs.
        calibration: URIs of the pairs that reconstruction and calibration look at, without their labels; empty takes
            the training URIs.
        calibration_crop: `HxW` of those crops; empty takes `crop`.
        augmentation: random changes of the training pairs.
        mask_disparity: pixels with ground truth at or above this are neither trained on nor scored; 0 keeps all.

    """

    train: tuple[str, ...] = ()
    weights: tuple[NonNegative, ...] = ()
    test: tuple[str, ...] = ()
    batch: PositiveCount = 4
    workers: Annotated[int, Field(ge=0, le=_MOST_PROCESSES)] = 0
    mixed_sizes: Literal["refuse", "pad"] = "refuse"
    crop: Size = ""
    calibration: tuple[str, ...] = ()
    calibration_crop: Size = ""
    augmentation: AugmentationSettings = NO_AUGMENTATION
    mask_disparity: NonNegative = 0.0


@settings
class ReportSection:
    """What the report shows.

    Attributes:
        profile: energy and area profile.
        size: `HxW` at which costs are counted; empty takes the first test pair's size.
        pictures: how many test pairs are drawn.
        runtime: measures wall-clock latency in it, `onnxruntime` or `openvino`; empty measures nothing.
        latency_runs: of every network that is measured.
        tensorboard: writes the metrics of training for TensorBoard too (extra `tensorboard`), beside metrics.jsonl.

    """

    profile: str = "horowitz45"
    size: Size = ""
    pictures: Count = 3
    runtime: str = ""
    latency_runs: PositiveCount = 20
    tensorboard: bool = False


@settings
class PruneSection(PruneSettings):
    """Stage one: what is removed, and how the network is trained meanwhile.

    Attributes:
        mode: what happens to pruned weights.
        train: the training during the events.

    """

    mode: ModeSettings = FrozenSettings()
    train: TrainSettings = TrainSettings(steps=0, lr_schedule="constant")

    def __post_init__(self) -> None:
        """Refuse a mode, a schedule and a training that exclude each other."""
        PruneSettings.__post_init__(self)
        if self.mode.single and self.pattern.name == "channel":
            raise Mistake(
                f"mode {self.mode.name} works on single weights",
                key="mode",
                expected=", ".join(names_of(ModeSettings, single=False)),
            )
        if self.schedule.name == "cyclic" and not self.mode.single:
            expected = ", ".join(names_of(ModeSettings, single=True))
            raise Mistake("schedule cyclic needs weights that return", key="mode", expected=expected)
        if self.mode.from_zero and self.train.psgd is not None and self.train.psgd.target.name == "zero":
            raise Mistake(
                f"mode {self.mode.name} lets weights return at zero, where scaling towards zero holds them",
                key="train.psgd.target",
                expected="grid, or no table train.psgd",
            )
        first = event_steps(self.train.steps, self.events, self.event_fraction, self.event_warmup)[0]
        if self.score.from_steps and first == 0:
            raise Mistake(
                "no step is scored before the first event",
                key="events",
                found=f"{self.events} events in {self.train.steps} steps",
                remedy="take more steps or fewer events, or a score that needs no steps",
            )


@settings
class QuantizeSection(BitSettings):
    """Stage two: the grids, and how weights get onto them.

    Every input has its own step, the cost volume as the input of the layers that filter it. Biases are float16; the
    soft-argmin, up-sampling and warping stay in float32.

    Attributes:
        quantizer: the grid of the weights.
        allocation: who chooses the weight bits of the layers that no other setting fixes. The first and the protected
            layers, and those that `layer_bits` names, keep their bits; their cost counts. Weights that a quantizer
            rounds to zero count too: the network that comes out costs no more than was planned.
        calibration: how the steps of activations are chosen.
        rounding: how weights get onto their codes.
        calibration_pairs: pairs that calibration, rounding and transforms look at, run as one batch.

    """

    quantizer: QuantizerSettings = LSQSettings()
    allocation: AllocationSettings = UniformAllocationSettings()
    calibration: RuleSettings = AutoRuleSettings()
    rounding: RoundingSettings = ReconstructRoundingSettings()
    calibration_pairs: PositiveCount = 8

    def __post_init__(self) -> None:
        """Refuse bits that the quantizer does not have, and a budget outside of the candidates."""
        widths = self.quantizer.widths
        if self.weight_bits not in (*widths, FLOAT_BITS):
            ends = "..".join(str(end) for end in dict.fromkeys((widths[0], widths[-1])))
            expected = f"{ends} with quantizer {self.quantizer.name}, or {FLOAT_BITS}"
            raise Mistake("out of range", key="weight_bits", found=self.weight_bits, expected=expected)
        allocation = self.allocation
        if isinstance(allocation, BudgetSettings) and not allocation.budget_fraction:
            low, high = allocation.candidates[0], allocation.candidates[-1]
            bits = allocation.budget_bits or self.weight_bits
            if not low <= bits <= high:
                expected = f"{low}..{high}, as the candidates"
                raise Mistake("out of range", key="allocation.budget_bits", found=f"{bits:g}", expected=expected)
