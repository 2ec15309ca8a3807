"""Technology profiles as data: one TOML file each, every constant with its unit and source."""
