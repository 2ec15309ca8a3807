"""Faults on purpose: kills, mutated files, full circles of stopping and going on; what they cost and what survives."""
