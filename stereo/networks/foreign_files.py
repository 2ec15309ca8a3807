"""Foreign files: detection of files without a state dict, and advice on how to convert them."""

from __future__ import annotations

import re
from pathlib import Path

from disparsity.base.errors import InputError

_HEAD_BYTES = 512
_GLOBAL = re.compile(r"GLOBAL ([\w.]*\w)|but got <class '([\w.]+)'>")
_OF_TENSORS = re.compile(r"torch(\.\w*)?|torch\._utils\..*")
_TABLE_TYPE = "collections.OrderedDict"
"""What every archive of tensors names: storages, how tensors are rebuilt, ordered dicts. A cut file may end inside."""


def check_kind(path: Path) -> None:
    """Refuse a file that is no torch archive, by its first bytes.

    Raises:
        InputError: it is empty, a text, a web page, a pointer of Git LFS, or a plain pickle.

    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    kind, remedy = _kind_of(head)
    if kind:
        raise InputError("not a file of weights", where=path, found=kind, expected="a torch archive", remedy=remedy)


def _kind_of(head: bytes) -> tuple[str | None, str | None]:
    if not head:
        return "an empty file", None
    if head[:2] in (b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        return "a Python pickle, which is never loaded", "save model.state_dict() with torch.save"
    if head.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS", "run `git lfs pull` where it came from"
    if b"<html" in head.lower() or head.lower().startswith(b"<!doctype"):
        return "a web page", "the download gave a page instead of the file"
    if _is_text(head):
        return "a text file", None
    return None, None


def _is_text(head: bytes) -> bool:
    """Whether the bytes are printable UTF-8; a character that is cut at the end counts."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < _HEAD_BYTES or error.start < _HEAD_BYTES - 4:
            return False
        text = head[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\r\n\t\f" for character in text)


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do: 8 bytes of length, then a JSON object."""
    with path.open("rb") as file:
        return file.read(10)[8:] in (b'{"', b"{}")


def python_object_in(message: str) -> str | None:
    """The name of the Python object that made torch refuse an archive, from torch's message; None for other errors."""
    found = _GLOBAL.search(message)
    name = (found[1] or found[2]) if found else None
    of_tensors = name is not None and (_OF_TENSORS.fullmatch(name) or _TABLE_TYPE.startswith(name))
    return None if of_tensors else name


def objects_error(path: Path, name: str) -> InputError:
    """The error for an archive that holds Python objects, such as a whole module, beside or instead of tensors."""
    snippet = (
        f"c = torch.load('{path.name}', weights_only=False); "
        "torch.save(c.state_dict() if hasattr(c, 'state_dict') else c['state_dict'], 'weights.pth')"
    )
    return InputError(
        "the file holds Python objects, which are never loaded",
        where=path,
        found=name,
        expected="tensors alone, as model.state_dict() gives them",
        remedy=f"if you trust the file, convert it where its code is installed: {snippet}",
    )
