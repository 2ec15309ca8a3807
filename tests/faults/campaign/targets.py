"""What reads files that may come from anybody: the parsers, whole files to begin with, and how damage reaches them."""

from __future__ import annotations

import hashlib
import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from campaign.mutations import mutated, with_right_checksums

import disparsity
from disparsity.base.checksummed_json import hash_of, read_checksummed
from disparsity.checkpoint.checkpoints import save_checkpoint
from disparsity.checkpoint.restore import network_checkpoint, open_network
from disparsity.datasets.decoders.calibration import read_calib_txt
from disparsity.datasets.decoders.images import read_png8, read_png16, read_rgb
from disparsity.datasets.decoders.npz import read_npz
from disparsity.datasets.decoders.pfm import read_pfm, write_pfm
from disparsity.datasets.export import export_kitti2015
from disparsity.datasets.packed.reader import PackedDataset, PackedSettings
from disparsity.datasets.packed.writer import pack
from disparsity.datasets.split import read_split
from disparsity.datasets.synthetic import SyntheticDataset, SyntheticSettings
from disparsity.datasets.uri import open_data
from disparsity.recipe.recipe import load_recipe
from disparsity.run.folder import read_metrics
from disparsity.stereo.networks import build_network, published

Damage = Callable[[random.Random, Sequence[bytes]], bytes]
Read = Callable[[Path, random.Random], object]
SIZES = {"halvings": 2, "width": 2, "refinement_width": 2, "max_disparity": 8}


@dataclass(frozen=True, kw_only=True)
class Target:
    """A parser under attack.

    Attributes:
        seeds: whole files, made in a folder.
        read: parses a file.
        sources: files of the package whose lines are counted.
        damage: how a file is damaged.
        share: of all inputs.

    """

    seeds: Callable[[Path], list[bytes]]
    read: Read
    sources: tuple[str, ...]
    damage: Damage = mutated
    share: float


def _images(folder: Path) -> list[bytes]:
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    deep = rng.integers(0, 65536, (6, 8), dtype=np.uint16)
    made = [cv2.imencode(".png", array)[1].tobytes() for array in (colour, colour[:, :, 0], deep)]
    return made + [cv2.imencode(end, colour)[1].tobytes() for end in (".jpg", ".ppm", ".webp", ".bmp", ".tiff")]


def _read_image(path: Path, rng: random.Random) -> object:
    return rng.choice((read_rgb, read_png8, read_png16))(path)


def _damage_image(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    found = mutated(rng, seeds)
    return with_right_checksums(found) if found.startswith(b"\x89PNG") and rng.random() < 0.7 else found


def _pfms(folder: Path) -> list[bytes]:
    rng = np.random.default_rng(0)
    for name, shape in (("a", (3, 5)), ("b", (2, 2, 3))):
        write_pfm(folder / name, rng.normal(size=shape).astype(np.float32))
    big = b"Pf\r\n2 2\r\n1.0\r\n" + rng.normal(size=4).astype(">f4").tobytes()
    return [(folder / "a").read_bytes(), (folder / "b").read_bytes(), big]


def _archives(folder: Path) -> list[bytes]:
    found = []
    for array in (np.eye(3, 4, dtype=np.float32), np.asfortranarray(np.eye(4))):
        stream = io.BytesIO()
        np.savez(stream, array)
        found.append(stream.getvalue())
    return found


def _damage_archive(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Half of the time the member is damaged and packed again with the right checksum."""
    if rng.random() < 0.5:
        return mutated(rng, seeds)
    with zipfile.ZipFile(io.BytesIO(rng.choice(seeds))) as archive:
        member = archive.read(archive.infolist()[0])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("arr_0.npy", mutated(rng, [member]))
    return stream.getvalue()


def _texts(*lines: str) -> Callable[[Path], list[bytes]]:
    return lambda _folder: [line.encode() for line in lines]


def _recipes(_folder: Path) -> list[bytes]:
    folder = Path(disparsity.__file__).parent / "recipes"
    return [path.read_bytes() for path in sorted(folder.glob("*.toml"))]


def _network(folder: Path) -> Path:
    torch.manual_seed(0)
    save_checkpoint(folder / "checkpoint.json", network_checkpoint(build_network("reference", **SIZES), {"seed": 1}))
    return folder


def _checkpoints(folder: Path) -> list[bytes]:
    """Description and tensors in one: the length of the first, a line break, both."""
    _network(folder)
    (tensors,) = folder.glob("*.safetensors")
    side = (folder / "checkpoint.json").read_bytes()
    return [b"%d\n" % len(side) + side + tensors.read_bytes()]


def _damage_checkpoint(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One of the two is damaged; mostly its checksum is mended, as somebody with bad intentions would do."""
    length, _, rest = seeds[0].partition(b"\n")
    side, tensors = rest[: int(length)], rest[int(length) :]
    if rng.random() < 0.5:
        side = mutated(rng, [side])
    else:
        tensors = mutated(rng, [tensors[:4096]]) + tensors[4096:] if rng.random() < 0.8 else mutated(rng, [tensors])
    if rng.random() < 0.7:
        side = _mended(side, tensors)
    return b"%d\n" % len(side) + side + tensors


def _mended(side: bytes, tensors: bytes) -> bytes:
    try:
        facts = json.loads(side)
        facts["sha256"] = hashlib.sha256(tensors).hexdigest()
        facts.pop("description_sha256", None)
        return json.dumps(facts | {"description_sha256": hash_of(facts)}).encode()
    except (ValueError, TypeError, AttributeError, RecursionError):
        return side


def _read_checkpoint(path: Path, _rng: random.Random) -> object:
    content = path.read_bytes()
    length, _, rest = content.partition(b"\n")
    folder = path.with_name("checkpoint")
    folder.mkdir(exist_ok=True)
    side, tensors = rest[: int(length)], rest[int(length) :]
    (folder / "checkpoint.json").write_bytes(side)
    for old in folder.glob("*.safetensors"):
        old.unlink()
    try:
        name = Path(str(json.loads(side)["tensors"])).name
        (folder / name).write_bytes(tensors)
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        pass
    return open_network(str(folder), None)


def _archives_of_torch(folder: Path) -> list[bytes]:
    state, stream = build_network("reference", **SIZES).state_dict(), io.BytesIO()
    torch.save({"state_dict": dict(list(state.items())[:4])}, stream)
    return [stream.getvalue()]


def _packed_data(folder: Path) -> list[bytes]:
    scenes = SyntheticDataset(SyntheticSettings(pairs=2, height=16, width=24, max_disparity=8.0))
    shutil.rmtree(folder / "scenes", ignore_errors=True)
    export_kitti2015(scenes, folder / "scenes")
    pack(open_data(f"kitti2015:{folder / 'scenes'}"), folder / "a.h5")
    return [(folder / "a.h5").read_bytes()]


def _read_packed_data(path: Path, _rng: random.Random) -> object:
    data = PackedDataset(PackedSettings(path=path))
    return [data[index] for index in range(min(len(data), 2))]


def _logs(_folder: Path) -> list[bytes]:
    return [b'{"step": 10, "loss": 0.5, "crc32": 1}\n{"step": 20, "loss": null}\n{"step": 30, "lo']


def _sealed(_folder: Path) -> list[bytes]:
    content = {"rows": [{"epe_px": 1.5, "data": "synthetic:"}], "seconds": 2.0}
    return [json.dumps({**content, "content_sha256": hash_of(content)}, indent=2).encode()]


CALIB = "cam0=[3979.911 0 1244.772; 0 3979.911 1019.507; 0 0 1]\ndoffs=124.343\nbaseline=193.001\nwidth=2964\n"
TARGETS: dict[str, Target] = {
    "pfm": Target(seeds=_pfms, read=lambda path, _: read_pfm(path), sources=("datasets/decoders/pfm.py",), share=0.42),
    "image": Target(
        seeds=_images,
        read=_read_image,
        damage=_damage_image,
        sources=("datasets/decoders/images.py",),
        share=0.25,
    ),
    "npz": Target(
        seeds=_archives,
        read=lambda path, _: read_npz(path),
        damage=_damage_archive,
        sources=("datasets/decoders/npz.py",),
        share=0.05,
    ),
    "calib": Target(
        seeds=_texts(CALIB),
        read=lambda path, _: read_calib_txt(path),
        sources=("datasets/decoders/calibration.py",),
        share=0.08,
    ),
    "split": Target(
        seeds=_texts("# train\n000001\n000002\nA/0001/left\n"),
        read=lambda path, _: read_split(path),
        sources=("datasets/split.py",),
        share=0.06,
    ),
    "metrics": Target(
        seeds=_logs, read=lambda path, _: read_metrics(path), sources=("src/disparsity/run/folder.py",), share=0.04
    ),
    "checksummed": Target(
        seeds=_sealed,
        read=lambda path, _: read_checksummed(path, "an evaluation", "again"),
        sources=("src/disparsity/base/checksummed_json.py",),
        share=0.04,
    ),
    "recipe": Target(
        seeds=_recipes, read=lambda path, _: load_recipe(path), sources=("src/disparsity/recipe/recipe.py",), share=0.03
    ),
    "checkpoint": Target(
        seeds=_checkpoints,
        read=_read_checkpoint,
        damage=_damage_checkpoint,
        sources=("src/disparsity/checkpoint/checkpoints.py", "src/disparsity/checkpoint/restore.py"),
        share=0.015,
    ),
    "published": Target(
        seeds=_archives_of_torch,
        read=lambda path, _: published._read_state(path),
        sources=("stereo/networks/published.py",),
        share=0.005,
    ),
    "hdf5": Target(
        seeds=_packed_data,
        read=_read_packed_data,
        sources=("datasets/packed/reader.py", "datasets/packed/hdf5_file.py", "datasets/packed/sources.py"),
        share=0.01,
    ),
}
assert abs(sum(target.share for target in TARGETS.values()) - 1) < 1e-9
