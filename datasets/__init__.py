"""Readers of stereo data, synthetic scenes, file decoders, augmentation."""
