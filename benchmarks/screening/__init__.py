"""The grid of stage one: its cases, one run of each, and what they say together."""
