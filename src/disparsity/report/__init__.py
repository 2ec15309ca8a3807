"""Report of a run: build, schema, HTML, Markdown, CSV, terminal summary, figures."""
