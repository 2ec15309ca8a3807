"""Ground layer: errors, files, processes, devices, timing, layers; knows no other part of the package."""
