"""ONNX export: graph, quantize-dequantize nodes, file."""
