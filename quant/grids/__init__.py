"""Quantization grids: levels, step sizes, step search, integer codes."""
