"""Export of compressed networks to files for other runtimes."""
