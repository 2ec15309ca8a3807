"""Training loop, fine-tuning modes, optimizers, reconstruction, sparse training."""
