"""Hardware cost of a network: workload, storage, energy, area, cycles."""
