"""Settings of the scores: what is known of a score before it runs, and what is refused."""

from __future__ import annotations

import pytest

from disparsity.base.choice import names_of
from disparsity.base.errors import InputError
from disparsity.pruning.scores.settings import ObsSettings, ScoreSettings, SnipSettings, TaylorSettings


def test_what_holds_for_which_scores() -> None:
    assert names_of(ScoreSettings, from_steps=True) == ["taylor"]
    assert names_of(ScoreSettings, under_quantizers=True) == ["quant_aware", "magnitude", "random"]
    assert names_of(ScoreSettings, with_norms=False) == ["quant_aware", "obs", "magnitude", "random"]


def test_values_outside_their_range_are_refused() -> None:
    with pytest.raises(InputError, match=r"^decay: out of range; found 1\.0; expected 0 or more, below 1$"):
        TaylorSettings(decay=1.0)
    with pytest.raises(InputError, match=r"^batches: out of range; found 0; expected 1 or more$"):
        SnipSettings(batches=0)
    with pytest.raises(InputError, match=r"^positions: out of range.* \| ridge: not a finite number; found nan$"):
        ObsSettings(positions=0, ridge=float("nan"))
