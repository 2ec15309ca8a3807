"""Fault campaigns: kills, mutated files, and runs that are stopped and resumed again and again."""
