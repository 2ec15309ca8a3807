"""RTL export: integers of every layer, golden vectors, a self-check and an example test bench."""
