"""Stages of a run: train, prune, finetune, quantize."""
