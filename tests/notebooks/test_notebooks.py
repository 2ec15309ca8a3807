"""Every notebook runs from top to bottom in a kernel, with a tiny network and hardly any steps."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
manager = pytest.importorskip("jupyter_client.manager")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST_BYTES = 600_000
CELL_SECONDS = 600


@pytest.fixture(scope="module")
def kernel(checkpoint: Path) -> Iterator:
    """One kernel for all notebooks, since it takes seconds to import torch; it is emptied between them."""
    kernel = manager.KernelManager(kernel_name="python3")
    kernel.start_kernel(env={**os.environ, "DISPARSITY_NOTEBOOKS_SMALL": str(checkpoint), "OMP_NUM_THREADS": "1"})
    yield kernel
    kernel.shutdown_kernel(now=True)
    kernel.cleanup_resources()


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # of the client's, not ours
def test_a_notebook_runs(path: Path, kernel) -> None:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
    client = nbclient.NotebookClient(notebook, km=kernel, timeout=CELL_SECONDS)
    try:
        client.execute()
    finally:
        client.kc.stop_channels()
    printed = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "stream"
    ]
    assert [output.text for output in printed if output.name == "stderr"] == []


def test_there_are_the_six_notebooks() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05", "06"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_of_one_run_from_top_to_bottom_or_absent(path: Path) -> None:
    assert path.stat().st_size < LARGEST_BYTES
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    counts = [cell["execution_count"] for cell in cells]
    assert counts in (list(range(1, len(cells) + 1)), [None] * len(cells)), "run ./do notebooks"
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert [each for each in outputs if each["output_type"] == "error" or each.get("name") == "stderr"] == []
    assert any("image/png" in each.get("data", {}) for each in outputs) == (counts[0] is not None)
    assert "/tmp/" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_only_the_public_functions_are_used(path: Path) -> None:
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    code = "".join("".join(cell["source"]) + "\n" for cell in cells).replace("%matplotlib inline", "")
    imports = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import | ast.ImportFrom)]
    plain = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    modules = plain | {str(node.module) for node in imports if isinstance(node, ast.ImportFrom)}
    assert {name for name in modules if name.startswith("disparsity")} == {"disparsity"}
