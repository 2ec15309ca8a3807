"""The training loop, fine-tuning modes, reconstruction, checkpoints."""
