"""Integer convolution: one layer in the five steps of the package's docstring."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.quant.integer.constants import LayerConstants, layer_constants
from disparsity.quant.integer.fixed_point import scaled, to_fixed, to_float
from disparsity.quant.integer.geometry import bare_layer, spatial_axes
from disparsity.quant.integer.settings import IntegerSettings

_FLOAT32_EXACT, _FLOAT64_EXACT = 2**24, 2**53


class IntegerConvolution(nn.Module):
    """Stands where a quantized convolution, transposed convolution or linear layer was.

    The sums are computed by torch's float convolution, which is exact here: all products and all partial sums are
    integers, and no order of summation makes one larger than the layer's `largest_sum`. Up to 2^24 float32 holds all of
    them, above float64 does. Kernels that multiply anything but the inputs and the weights (Winograd, Fourier) are
    switched off.

    Args:
        name: of the layer, for messages.
        layer: with calibrated quantizers on weight and input; not changed.
        settings: widths.

    Attributes:
        constants: the integers that it computes with.
        largest_seen: the largest size of a sum so far.
        observer: sees the fixed-point inputs, the codes and the fixed-point outputs of every call.
        threads: that compute the sums; None leaves them as they are.

    Raises:
        InputError: the layer is not quantized to integers, or not calibrated.

    """

    multipliers: Tensor
    shifts: Tensor
    biases: Tensor

    def __init__(self, name: str, layer: nn.Module, settings: IntegerSettings) -> None:
        super().__init__()
        self.name = name
        self.constants = _constants(name, layer, settings)
        self.largest_seen = 0
        self.observer: Callable[[Tensor, Tensor, Tensor], None] | None = None
        self.threads: int | None = None
        assert self.constants.largest_sum < _FLOAT64_EXACT
        small = self.constants.largest_sum < _FLOAT32_EXACT
        self.products = bare_layer(layer, self.constants.codes.to(torch.float32 if small else torch.float64))
        self._dtype = torch.float32 if small else torch.float64
        output, shape = self.constants.output, (-1, *[1] * spatial_axes(layer))
        for kind in ("multipliers", "shifts", "biases"):
            self.register_buffer(kind, torch.tensor(getattr(output, kind), dtype=torch.int64).view(shape))

    def forward(self, values: Tensor, *arguments: object) -> Tensor:
        """The layer's output as float32, from float32; further arguments as those of the layer it stands for.

        Raises:
            InputError: an input is NaN, or a sum does not fit the accumulators.

        """
        inputs = self.enter(values)
        codes = self.input_codes(inputs)
        outputs = self.rescale(self.accumulate(codes, *arguments))
        if self.observer is not None:
            self.observer(inputs, codes, outputs)
        return to_float(outputs, self.constants.output.fraction_bits)

    def enter(self, values: Tensor) -> Tensor:
        """Step 1: float values as fixed-point inputs, int64.

        Raises:
            InputError: a value is NaN.

        """
        if bool(values.isnan().any()):
            raise InputError("the input of a layer is not a number", where=self.name, remedy="the network has diverged")
        return to_fixed(values, self.constants.input.fraction_bits)

    def input_codes(self, fixed: Tensor) -> Tensor:
        """Step 2: fixed-point inputs to codes, int64."""
        stage = self.constants.input
        codes = scaled(fixed, torch.tensor(stage.multiplier), torch.tensor(stage.shift))
        return codes.clamp_(stage.low, stage.high)

    def accumulate(self, codes: Tensor, *arguments: object) -> Tensor:
        """Step 3: the sums of products, int64.

        Raises:
            InputError: a sum does not fit the accumulators.

        """
        with _plain_products(self.threads):
            sums = self.products(codes.to(self._dtype), *arguments).long()
        lowest, highest = (int(end) for end in torch.aminmax(sums)) if sums.numel() else (0, 0)
        self.largest_seen = max(self.largest_seen, -lowest, highest)
        needed = max(highest, -lowest - 1).bit_length() + 1
        if needed > self.constants.accumulator_bits:
            raise InputError(
                "a sum overflows the accumulators",
                where=self.name,
                found=f"{needed} bits",
                expected=f"{self.constants.accumulator_bits} bits, and no input needs more than "
                f"{self.constants.worst_case_bits}",
                remedy="widen accumulator_bits or quantize the layer with fewer bits",
            )
        return sums

    def rescale(self, sums: Tensor) -> Tensor:
        """Step 4: sums to fixed-point outputs, int64."""
        end = 2 ** (self.constants.output.bits - 1)
        return scaled(sums, self.multipliers, self.shifts).add_(self.biases).clamp_(-end, end - 1)


def _constants(name: str, layer: nn.Module, settings: IntegerSettings) -> LayerConstants:
    try:
        return layer_constants(layer, settings)
    except InputError as error:
        raise InputError(str(error), where=name) from error


@contextmanager
def _plain_products(threads: int | None) -> Iterator[None]:
    """Float convolutions as sums of products in full precision, on so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        with torch.backends.nnpack.flags(enabled=False), torch.autocast("cpu", enabled=False):
            yield
    finally:
        torch.set_num_threads(before)
