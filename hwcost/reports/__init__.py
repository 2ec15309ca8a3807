"""Reports: one dictionary (report.json, version 1) written as JSON, CSV, figures, an HTML page and a terminal table."""
