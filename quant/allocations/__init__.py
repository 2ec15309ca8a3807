"""Bit allocation: the number of bits of each layer under a budget."""
