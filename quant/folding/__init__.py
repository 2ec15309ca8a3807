"""Folding: BatchNorm into convolutions, steps into BatchNorm."""
