"""Entropy codec of the packed network: range coder, context model, file."""
