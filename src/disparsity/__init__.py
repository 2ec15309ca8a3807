"""disparsity takes a trained stereo network to an accelerator: prune, fine-tune, quantize, report."""

__version__ = "0.1.0"
