"""Parts of gpu.py: its cases, the clock of a device, and the steps that are measured."""
