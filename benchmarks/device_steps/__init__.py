"""Steps of training, scoring, quantization and reconstruction on a device: what is measured, how, and the page."""
