"""Evaluations of a run: the figures and disparity maps of each stage, read back and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from disparsity.base.checksummed_json import read_checksummed
from disparsity.base.errors import CorruptArtefactError
from disparsity.evaluation.evaluation import check_maps
from disparsity.report.accuracy import STAGES, AccuracyRow

_AGAIN = "remove it and run the recipe again"


@dataclass(frozen=True, kw_only=True)
class StageEvaluation:
    """One stage: a row per data set, the seconds it took, and the SHA-256 of the maps that were kept, by file name."""

    rows: tuple[AccuracyRow, ...]
    seconds: float
    maps: dict[str, str] | None = None


def read_evaluations(run: Path) -> dict[str, StageEvaluation]:
    """What has been evaluated so far, by stage.

    Raises:
        CorruptArtefactError: one of the files is damaged.

    """
    paths = {stage: run / "evaluation" / f"{stage}.json" for stage in STAGES}
    found: dict[str, StageEvaluation] = {
        stage: _read_evaluation(path) for stage, path in paths.items() if path.is_file()
    }
    for stage, content in found.items():
        check_maps((run / "evaluation" / stage), content.maps or {})
    return found


def _read_evaluation(path: Path) -> StageEvaluation:
    content = read_checksummed(path, "an evaluation", _AGAIN)
    try:
        return TypeAdapter(StageEvaluation).validate_python(content)
    except ValidationError as error:
        raise CorruptArtefactError(
            "not an evaluation",
            where=path,
            found=str(error.errors()[0]["msg"]),
            expected="rows and seconds",
            remedy=_AGAIN,
        ) from error
