"""One trace: a network run once, as a list of operations."""
