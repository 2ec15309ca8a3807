"""Channel pruning: whole channels are scored, masked and physically removed, together with all that depends on them."""
