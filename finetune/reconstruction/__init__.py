"""Reconstruction: layer-wise least squares after pruning or rounding."""
