"""The prose of the page: how it was measured, why expectations failed, what is missing."""

INTRODUCTION = """Reference network on synthetic scenes; `pruned` is the default of stage one at {sparsity:g} %
sparsity (Taylor, frozen, 100 and 140 steps of 4 crops 64x128). {cases} runs, n = 1 each: one seed. Without training
only the calibration pairs and their sampled positions are random. EPE in px, pooled over the same 30 unseen scenes of
96x192 (`{test}`); behind ± the standard error of the mean
difference to the float network over these scenes, which says nothing of other seeds. A difference below two of them is
not one. `packed bytes` are those of `export --format packed`, entropy coded.
"""
WHY = ""
NOT_RUN = ""
