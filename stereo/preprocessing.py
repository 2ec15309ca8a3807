"""Statistics that networks subtract from and divide by, for RGB in 0..1."""

from __future__ import annotations

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Source: the means that torchvision's pretrained classifiers are given, and most stereo networks with them."""
IMAGENET_STD = (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
"""As mean and as standard deviation: 0..1 becomes -1..1."""
