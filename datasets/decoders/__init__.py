"""Decoders: images, PFM, npz, calibration files, and limits on image size."""
