"""OpenVINO export: graph and folder."""
