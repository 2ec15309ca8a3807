"""Inference sessions: exported files in ONNX Runtime and OpenVINO."""
