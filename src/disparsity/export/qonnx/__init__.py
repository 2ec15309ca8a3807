"""QONNX export: graph with Quant nodes and file."""
