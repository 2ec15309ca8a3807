"""Cost volumes, one file each, built out of place so that export, coupling and memory accounting see every tensor."""
