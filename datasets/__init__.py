"""Stereo data: readers, synthetic scenes, decoders, batches, augmentation, packed files."""
