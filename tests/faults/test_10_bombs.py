"""Row 10: small files that claim to be large: refused before memory is asked for."""

from __future__ import annotations

import hashlib
import io
import json
import resource
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from campaign.children import ended, start

from disparsity.base.errors import DisparsityError
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.decoders.images import read_rgb
from disparsity.datasets.decoders.npz import read_npz
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.stereo.networks.published import load_published

MEMORY_BYTES = 200 << 20


def png(path: Path, width: int, height: int, *more: tuple[bytes, bytes]) -> None:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes((1 + 3 * width) * height) if width * height < 100 else b"")
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in ((b"IHDR", header), *more, (b"IDAT", rows), (b"IEND", b"")):
        content += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    path.write_bytes(content)


def text_bomb(path: Path) -> None:
    """400 MB of text in a picture of four pixels."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(400)) + packer.flush()
    png(path, 2, 2, (b"zTXt", b"Comment\0\0" + packed))


def expanded(path: Path) -> None:
    torch.save({"state_dict": {"downsampling.0.weight": torch.zeros(1).expand(100_000, 100_000)}}, path)


def archive(path: Path) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (40000, 40000), }\n"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file, file.open("a.npy", "w") as member:
        member.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        for _ in range(700):
            member.write(bytes(1 << 20))
    path.write_bytes(stream.getvalue())


def long_header(path: Path) -> None:
    """Tensors whose header says that it is 100 MB long, with the right checksums."""
    path.mkdir()
    content = struct.pack("<Q", 100 << 20) + b"{" + b" " * 1_000
    (path / "a.safetensors").write_bytes(content)
    facts = {"schema": "disparsity.checkpoint", "version": 1, "tensors": "a.safetensors"}
    (path / "checkpoint.json").write_text(json.dumps(facts | {"sha256": hashlib.sha256(content).hexdigest()}))


BOMBS: dict[str, tuple[Callable[[Path], object], Callable[[Path], object]]] = {
    "text in a picture": (text_bomb, read_rgb),
    "picture": (lambda path: png(path, 60_000, 60_000), read_rgb),
    "map": (lambda path: path.write_bytes(b"Pf\n2147483648 1\n-1\n" + bytes(64)), read_pfm),
    "map of legal width": (lambda path: path.write_bytes(b"Pf\n99999 99999\n-1\n" + bytes(64)), read_pfm),
    "archive": (archive, read_npz),
    "expanded tensor": (expanded, lambda path: load_published(path, "reference")),
    "header": (long_header, lambda path: open_network(str(path), None)),
}


def limited(read: Callable[[Path], object], path: Path) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, resource.RLIM_INFINITY))
    read(path)


@pytest.mark.parametrize("name", BOMBS)
def test_it_is_refused_before_memory_is_asked_for(tmp_path: Path, name: str) -> None:
    write, read = BOMBS[name]
    write(tmp_path / "bomb")

    def work() -> None:
        with pytest.raises(DisparsityError):
            limited(read, tmp_path / "bomb")

    assert ended(start(work)) == 0
