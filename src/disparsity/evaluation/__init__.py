"""Evaluation: accuracy, predictions, runtimes, latency, activation statistics."""
