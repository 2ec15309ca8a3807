"""Benchmark harness: cases, resuming, provenance, JSON rows, tables, and figures."""
