"""What a network costs in hardware: workload, storage, energy, area, reports."""
