"""Compressed networks as files that other runtimes execute."""
