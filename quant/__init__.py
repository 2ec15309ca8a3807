"""Stage two: quantizers, calibration, folding, integer codes."""
