"""One exported folder of a tiny network; tests must not change it."""

from __future__ import annotations

from pathlib import Path

import pytest

from disparsity.checkpoint.restore import open_network
from disparsity.export.rtl.folder import write_rtl

SIZE = (18, 32)


@pytest.fixture(scope="session")
def rtl_folder(deployable: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quantized network for images of 18x32, which are padded to 20x32."""
    path = tmp_path_factory.mktemp("rtl") / "out"
    write_rtl(path, open_network(str(deployable), None), SIZE)
    return path
