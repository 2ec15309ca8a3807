"""Augmentation of stereo pairs: photometric changes, flips, geometric changes."""
