"""Checkpoints: saving, restoring, and the packed network."""
