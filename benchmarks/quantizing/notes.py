"""The prose of the page: how it was measured, why expectations failed, what is missing."""

INTRODUCTION = """Reference network on synthetic scenes; `pruned` is the default of stage one at {sparsity:g} %
sparsity (Taylor, frozen, 100 and 140 steps of 4 crops 64x128). {cases} runs, n = 1 each: one seed. Without training
only the calibration pairs and their sampled positions are random. EPE in px, pooled over the same 30 unseen scenes of
96x192 (`{test}`); behind ± the standard error of the mean
difference to the float network over these scenes, which says nothing of other seeds. A difference below two of them is
not one. `packed bytes` are those of `export --format packed`, entropy coded.
"""
A16 = "In the columns A16 the first and last layers have 16 bits for their weights too, elsewhere 8."
WHY = """Why, as far as these runs show it:

* W4 A8 after fine-tuning: 60 steps do not gain what rounding costs; at rate 1e-3 they lose a little, from the nearest
  codes at 2e-4 they change nothing (table below). As many steps in float change nothing either, so it is not the extra
  training. The lab book found the same for StereoNet; 300 steps gained a little on the reference at 97 %. So 60 steps
  may be too few: longer runs were not done.
* W8 A8 of the dense reference: 16-bit inputs hardly help, and six-bit weights with float inputs lose less than
  eight-bit weights with 16-bit inputs. So it is neither resolution; the suspect (not tested) is the inputs' range,
  calibrated on four pairs. The loss is less than two standard errors from the aim.
* W8 A8 of the published networks: compare the columns A8 and A16. With inputs at 16 bits AnyNet loses nearly nothing,
  so there it is the inputs. StereoNet loses as much with 16-bit inputs as with 8-bit ones: it is the weights, whose
  rounding breaks a cancellation between disparity in pixels and colours in the refinement. With 16 bits there, most of
  the loss is gone (below the table). Its figures are of a single pair.
* Transform quantization saves about one bit, more or less than one by width; in bytes less, as its basis is stored.
* Ternary: frozen Taylor masks seem to keep weights of very different size in one filter, and the norm-keeping scale
  makes all of them equally large. A uniform 2-bit grid, ternary too but free to set small weights to zero, loses less;
  so does `ternary` with least-squares scales and a threshold, without training (figures in the table of methods).
* Cost: the aim is missed narrowly by `lsq` and clearly by others, and all the more against a plain step without
  BatchNorm, which quantized networks no longer have. Measured on a busy machine; single steps scatter.
"""
NOT_RUN = """Two of three seeds everywhere. Rows and cells that say `not run`; the same command goes on with them. Of
the methods: PSGD and PQK towards pruning, GDRQ's reshaping of activations, transform quantization with retraining.
Fine-tuning was tried with 60 steps only.
"""
JUDGED = {
    "PSGD": "not tested",
    "AJPQ": "not tested against two steps; against a Lagrangian table, 0 bits help a little at 4 and 5 bits, not at 3",
    "Pruning ternary quantization": "contradicted at 95 % sparsity with frozen Taylor masks; further zeros help",
    "GDRQ": "not tested; its grid without the reshaping is no better than a least-squares one",
    "PQK": "not tested",
    "Transform quantization": "supported; by less in bytes, since the mixing matrix is stored too",
}
"""Written by hand for the results that are in the repository."""
