"""How hard the synthetic scenes are: a network trained on SceneFlow, judged on plain, hard and real pairs.

The published StereoNet was trained on SceneFlow. If it errs on our scenes about as much as on real pairs, they are
about as hard to match. Pixels at 192 or more are not scored, as the network cannot say them.

    DISPARSITY_DATA=... python benchmarks/synthetic_scenes.py --pairs 8
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from provenance import provenance

from disparsity.datasets.sample import StereoDataset
from disparsity.datasets.uri import open_data
from disparsity.stereo.inference import score
from disparsity.stereo.metrics import pooled
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.published import load_published

RESULT = Path(__file__).parent / "results" / "synthetic_scenes.md"
LIMIT = 192.0
QUANTILES = (5, 25, 50, 75, 95)
TEXT = """# How hard the synthetic scenes are

The published StereoNet (16x, trained on SceneFlow) on scenes of ours and on a real FlyingThings3D pair, all 540x960;
pixels with a disparity of 192 or more are not scored. The last columns are quantiles of the true disparity and the
share of left pixels where it changes by more than one pixel to the right neighbour (outlines).
"""
HEADER = (
    ["scenes", "pairs", "EPE px", "> 1 px %", "> 3 px %", "D1 %"] + [f"{q} % px" for q in QUANTILES] + ["outlines %"]
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=8)
    pairs = parser.parse_args().pairs
    shared = Path(os.environ["DISPARSITY_DATA"])
    torch.set_num_threads(1)
    network = load_published(shared / "weights/stereonet/train_save_sceneflow.tar", "stereonet").eval()
    scenes = f"synthetic:?pairs={pairs}&size=540x960&seed=77&style="
    kinds = [(style, limit) for style in ("plain", "hard") for limit in (96, 192)]
    uris = {f"synthetic, {style}, to {limit} px": f"{scenes}{style}&max_disparity={limit}" for style, limit in kinds}
    uris["FlyingThings3D, test"] = f"sceneflow:{shared / 'data/flyingthings3d'}?subset=test&pass=clean"
    rows = [row(name, open_data(uri), network) for name, uri in uris.items()]
    lines = [TEXT, _line(HEADER), _line(["---"] + ["--:"] * (len(HEADER) - 1)), *rows, ""]
    command = f"DISPARSITY_DATA=... python benchmarks/synthetic_scenes.py --pairs {pairs}"
    RESULT.write_text("\n".join([*lines, *provenance(command)]) + "\n", encoding="utf-8")


def row(name: str, data: StereoDataset, network: StereoNetwork) -> str:
    figures = pooled(score(network, data, max_disparity=LIMIT))
    known = np.concatenate([sample.disparity[sample.valid].numpy() for sample in data])
    steps = np.mean([(np.abs(np.diff(sample.disparity.numpy(), axis=1)) > 1).mean() for sample in data])
    errors = [figures[key] for key in ("epe_px", "bad1_percent", "bad3_percent", "d1_percent")]
    quantiles = np.percentile(known, QUANTILES)
    cells = [name, str(len(data)), *(f"{value:.2f}" for value in errors), *(f"{value:.0f}" for value in quantiles)]
    return _line([*cells, f"{100 * steps:.2f}"])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
