"""Optimizer modifications: position-scaled steps, and clipping of weights."""
