"""Quantizers: one file per quantizer."""
