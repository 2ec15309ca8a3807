"""Parts of the benchmark of deployment: parity, integers layer by layer, presets, sizes, and speed."""
