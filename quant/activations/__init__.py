"""Activation quantization: calibration and its rules."""
