"""Cost models: one file per metric."""
