"""Tracing: a network run once on shapes, as a list of layer calls."""
