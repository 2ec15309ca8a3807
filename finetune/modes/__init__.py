"""Fine-tuning modes: one file per mode."""
