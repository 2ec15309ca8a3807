"""Sweeps: runs of one recipe with other settings, and the Pareto front of error and cost."""
