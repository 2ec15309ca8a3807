"""What synthetic scenes teach: a StereoNet that has seen nothing else, judged on real pairs.

    DISPARSITY_DATA=... python benchmarks/trained_on_scenes.py OUT

OUT keeps the start and the training, which resumes. Writes results/trained_on_scenes.md.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch
from provenance import provenance

from disparsity.base.atomic_io import write_text
from disparsity.checkpoint.checkpoints import save_checkpoint
from disparsity.checkpoint.restore import network_checkpoint, open_network
from disparsity.cli import main as disparsity
from disparsity.datasets.uri import open_data
from disparsity.stereo.inference import score
from disparsity.stereo.metrics import pooled
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.published import load_published

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks/results/trained_on_scenes.md"
RECIPE = ROOT / "recipes/hard_scenes.toml"
LIMIT = 192
REAL = {
    "FlyingThings3D, test": "sceneflow:{}/flyingthings3d?subset=test&pass=clean",
    "KITTI 2015, noc": "kitti2015:{}/kitti2015?ground_truth=noc",
    "KITTI 2012, occ": "kitti2012:{}/kitti2012?ground_truth=occ",
    "Middlebury 2003": "middlebury:{}/middlebury2003",
}
TEXT = """# What synthetic scenes teach

A StereoNet that was trained on synthetic scenes alone, judged on real pairs, all pixels with known ground truth below
192 px. "Plain": the reference network (0.7 M parameters; 6000 steps on plain scenes of 96x192 with disparities up to
48 px), whose weights do not depend on the cost volume's size, with a volume for 192 px. "Hard": the same after the
steps of `recipes/hard_scenes.toml`. For scale: the published StereoNet, trained on SceneFlow, under the same rule.
Cells: EPE px / D1 %.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    start = out / "start"
    save_checkpoint(start / "checkpoint.json", network_checkpoint(_start(), {}))
    if disparsity(["train", str(RECIPE), "--out", str(out / "train"), "--from", str(start)]):
        raise SystemExit("the training was stopped; the same command goes on")
    shared = Path(os.environ["DISPARSITY_DATA"])
    networks = {
        "plain": open_network(str(start), None),
        "plain, then hard": open_network(str(next((out / "train/stages").glob("*-train"))), None),
        "published": load_published(shared / "weights/stereonet/train_save_sceneflow.tar", "stereonet").eval(),
    }
    lines = [TEXT, f"| trained on | {' | '.join(REAL)} |", f"|---{'|--:' * len(REAL)}|"]
    for name, network in networks.items():
        cells = [_cell(network, uri.format(shared / "data")) for uri in REAL.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    command = "DISPARSITY_DATA=... python benchmarks/trained_on_scenes.py OUT"
    write_text(RESULT, "\n".join([*lines, "", *provenance(command)]) + "\n")


def _start() -> StereoNetwork:
    reference = open_network("builtin:reference", None)
    network = build_network("reference", **{**reference.spec.settings, "max_disparity": LIMIT})
    network.load_state_dict(reference.state_dict())
    return network.eval()


def _cell(network: StereoNetwork, uri: str) -> str:
    figures = pooled(score(network, open_data(uri), max_disparity=float(LIMIT)))
    return f"{figures['epe_px']:.2f} / {figures['d1_percent']:.1f}"


if __name__ == "__main__":
    main()
