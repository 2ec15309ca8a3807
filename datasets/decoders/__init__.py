"""Decoders: PNG, PFM, npz, calibration files, and limits on image size."""
