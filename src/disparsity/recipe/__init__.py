"""Recipe: schema, validation, stage order, sweep section."""
