"""The sections of `benchmarks/hardware_cost.py`, one file each: `measure` gives plain data, `render` Markdown."""
