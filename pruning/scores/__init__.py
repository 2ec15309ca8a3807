"""Scores: how important a weight is, one float32 per weight; one file per score."""
