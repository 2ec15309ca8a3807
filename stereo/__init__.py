"""Networks, cost volumes, disparity regression, losses, metrics, inference and drawing."""
