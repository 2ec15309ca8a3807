"""Transform quantization: weights are quantized in a basis in which their errors are independent."""
