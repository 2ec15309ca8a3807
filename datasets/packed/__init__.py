"""Packed data sets: many pairs in one HDF5 file."""
