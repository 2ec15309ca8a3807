"""Batches: training stream, crops, padding, caching, prefetching."""
