"""Channel coupling: which channels of a network must go together, found by following them through a run."""
