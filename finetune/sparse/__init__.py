"""Sparse training: convolutions on a CPU that skip pruned weights."""
