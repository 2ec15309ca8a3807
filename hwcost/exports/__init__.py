"""Workload in the input formats of other cost tools; each file states how layers are lowered."""
