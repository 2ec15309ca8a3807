"""Training a pruned network at the cost of its non-zero weights: convolutions on a CPU that skip the zeros."""
