"""The grid of stage two: its cases, one run of each, what a step costs, and what they say together."""
