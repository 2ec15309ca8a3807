"""Parts of hardware_cost.py: one file per peer, and `peers/` with what runs in a peer's own environment."""
