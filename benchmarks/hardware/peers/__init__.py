"""Programs that run in a peer's own environment: they JSON on stdin, JSON to a file, no disparsity."""
