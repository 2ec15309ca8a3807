"""Checksummed JSON: files that carry the SHA-256 of their own content, so that corruption is detected."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from disparsity.base.atomic_io import write_json
from disparsity.base.errors import CorruptArtefactError

CHECKSUM_KEY = "content_sha256"


def write_checksummed(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object with its checksum atomically."""
    assert CHECKSUM_KEY not in content
    write_json(path, {**content, CHECKSUM_KEY: hash_of(content)})


def read_checksummed(path: Path, what: str, remedy: str) -> dict[str, Any]:
    """Read what `write_checksummed` wrote, without its checksum; older files have none and are not checked.

    Args:
        path: there must be a file.
        what: it should be, for the message.
        remedy: what to do where it is not.

    Raises:
        CorruptArtefactError: it is no JSON object, or not the one that was written.

    """
    try:
        content = json.loads(path.read_bytes())
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise CorruptArtefactError(f"not {what}", where=path, found=error, remedy=remedy) from error
    if not isinstance(content, dict):
        raise CorruptArtefactError(f"not {what}", where=path, found=type(content).__name__, remedy=remedy)
    # one damaged bit cannot both remove the checksum and change anything else
    checksum = content.pop(CHECKSUM_KEY, None)
    if checksum is not None and checksum != hash_of(content):
        raise CorruptArtefactError("checksum mismatch", where=path, expected=what, remedy=remedy)
    return content


def hash_of(document: Mapping[str, Any]) -> str:
    """SHA-256 of a document as JSON, independent of key order and white space."""
    plain = json.loads(json.dumps(document))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
