"""Readers: one per data set, and plain folders."""
