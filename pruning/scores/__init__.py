"""How important a weight is: one float32 per weight, higher is more important. One score, one file."""

from disparsity.pruning.scores.magnitude import magnitude_scores, random_scores
from disparsity.pruning.scores.normalisation import per_mac
from disparsity.pruning.scores.registry import SCORES
from disparsity.pruning.scores.taylor import TaylorScore, taylor_pass, taylor_term

__all__ = ["SCORES", "TaylorScore", "magnitude_scores", "per_mac", "random_scores", "taylor_pass", "taylor_term"]
