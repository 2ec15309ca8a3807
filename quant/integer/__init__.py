"""Integer execution: every quantized convolution with integer weights, activations, accumulators and rescaling.

This is what hardware is checked against. One call of a layer whose weight and input are both quantized computes the
following, in this order. All variables are two's complement integers; ``>>`` is the arithmetic shift, so that adding
half of the divisor before it rounds to the nearest integer, ties upwards (towards plus infinity). That is the only
rounding there is. Saturation (`clip`) takes the nearest end of a range.

1. Entry. The host hands over float32 values x, which become 32-bit fixed-point numbers with P fraction bits:
   ``X = clip(floor(x * 2^P + 1/2), -2^31, 2^31 - 1)``. NaN is refused.
2. Input codes: ``q = clip((X * M0 + 2^(S0-1)) >> S0, low, low + 2^b - 1)``, with one 31-bit multiplier M0 and one shift
   S0 for the layer. The product fits 63 bits. P is the largest for which the grid and one step beyond it fit 31 bits.
3. Sums: ``a = sum of q * w`` over the input channels of the group and the taps of the kernel, w the weight codes. Zero
   padding is code 0. Accumulators have A bits (32 unless set otherwise). A sum that does not fit is an error that names
   the layer; sums on the way to it may wrap around, which changes nothing, so that the order of summation is free.
4. Rescaling, per output channel c: ``Y = clip(((a * M[c] + 2^(S[c]-1)) >> S[c]) + B[c], -2^(R-1), 2^(R-1) - 1)``. The
   22-bit multiplier is exact: the product of two float16 steps has 22 significant bits. B is the bias in units of the
   output, rounded once, ties upwards. R is the width of the output (32 unless set otherwise).
5. Exit. Y has F fraction bits; the host reads ``float32(Y) * 2^-F``, to the nearest float32, ties to even. F is the
   largest for which every shift is 1 or more and the outputs of all inputs fit R bits: no sum of step 3 saturates.

The bias is added behind the rescaling, not in the accumulator, whose unit ``step_w * step_x`` is coarser than a bias
where bits are few or a filter is pruned away.

Everything between two such layers (rectifiers, additions, cost volumes, soft-argmin, resampling) is the network's own
float32 arithmetic on the host, as are layers that are not quantized; it is done one sample at a time on one thread, so
that one machine gives the same bits for every batch size and every number of threads. Multipliers, shifts, P, F and B
follow from the float16 steps and the biases in exact rational arithmetic: they are the same on every machine.

Tolerance: where the codes q are those of the fake quantizer, the output differs from the exact one by at most
``2^-F`` before it is rounded to float32. The codes differ by at most one, and only where x lies within ``2^(b-24)``
steps of a tie between two codes: the fake quantizer divides in float32, whose rounding decides there. Whole networks
stay within 1 % of the fake-quantized EPE; `benchmarks/results/deployment_integer.md` has both.

Source: fixed-point rescaling as in Jacob et al., Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference, CVPR 2018, section 2.2. Interpretation: formats, bias and rounding as above.
"""
