"""Running a program in the environment of a peer."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

PEERS = Path(__file__).parent / "peers"


def run_peer(python: Path, program: str, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What a program of `peers/` answers to `job`; it works in `folder`, and its chatter goes to a file there."""
    answer, log = folder / f"{program}.json", folder / f"{program}.log"
    with log.open("w") as chatter:
        finished = subprocess.run(
            [python, PEERS / f"{program}.py", answer],
            input=json.dumps(job),
            text=True,
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=chatter,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if finished.returncode:
        raise RuntimeError(f"{program} failed:\n{log.read_text()[-3000:]}")
    found: dict[str, Any] = json.loads(answer.read_text())
    return found
