"""The prose of the page: how it was measured, why expectations failed, what is missing."""

INTRODUCTION = """Reference network on synthetic scenes; `pruned` is the default of stage one at {sparsity:g} %
sparsity (Taylor, frozen, 100 and 140 steps of 4 crops 64x128). {cases} runs; one seed where no n is given. A seed draws
other training batches, calibration pairs and sampled positions; the pruned network is the same. EPE in px, pooled over
the same 30 unseen scenes of 96x192 (`{test}`); behind ± the standard
error of the mean difference to the float network over these scenes, which says nothing of other seeds. A difference
below two of them is not one. `packed bytes` are those of `export --format packed`, entropy coded.
"""
A16 = "In the columns A16 the first and last layers have 16 bits for their weights too, elsewhere 8."
WHY = """Why, as far as these runs show it:

* W4 A8 after fine-tuning: 400 steps end below the pruned network they began with, which 60 steps did not. Part of that
  is that 400 more steps help in float too: against these, four bits cost what the line says.
* W8 A8 of the reference lost 2 to 3 % when inputs were clipped where the squared error of a random sample is smallest:
  the rare large inputs decide disparities, and such a sample misses them. Now 8 bits clip nothing.
* W8 A8 of the published networks: compare the columns A8 and A16. AnyNet loses nearly nothing with 16-bit inputs.
  StereoNet lost 140 % while its refinement multiplied pixels by weights that were small beside those on colours in the
  same filter; loaded with 64ths of pixels, the same function, it loses what 8-bit features inside the refinement cost.
  Its figures are of a single pair.
* Transform quantization saves about one bit, more or less than one by width; in bytes less, as its basis is stored.
* Ternary: a threshold and the scale of least squares halve the loss before training, since frozen Taylor masks keep
  weights of very different size. Training needs the latent weights: it ends far better from nearest codes than from
  reconstructed ones, which say no longer which signs are nearly decided (both below).
* Reconstruction gains most at 3 and 4 bits. At 2 bits it did harm until codes were improved after the sequence.
* Cost: `lsq` holds the aim against a plain step and misses it against one without BatchNorm, which quantized networks
  no longer have; the other quantizers miss both.
"""
NOT_RUN = """Cells that say `not run`; the same command goes on with them. Of the methods: PSGD towards pruning, and
transform quantization with retraining.
"""
JUDGED = {
    "PSGD": "contradicted for 60 steps of a trained network: plain steps round better (the paper trains for 68 epochs)",
    "AJPQ": "not tested against two steps; against a Lagrangian table, 0 bits help a little at 4 and 5 bits, not at 3",
    "Pruning ternary quantization": (
        "contradicted for signs of all survivors after Taylor pruning; supported once small weights may become zero"
    ),
    "GDRQ": "supported against a min-max grid; a grid of least squares without the reshaping is better still",
    "PQK": "contradicted here, with labels at hand: the teacher makes it worse",
    "Transform quantization": "supported; by less in bytes, since the mixing matrix is stored too",
}
"""Written by hand for the results that are in the repository."""
