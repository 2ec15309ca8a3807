"""A report with realistic figures, its panels and its training history."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from disparsity.evaluation.panels import Panel
from disparsity.report.report import Report, unknown
from disparsity.report.schema import as_json, parse_report

LAYER_SHAPES = [
    *[(f"features.down{i}", 32, 3 if i == 0 else 32, 5, 2) for i in range(4)],
    *[(f"features.block{i}.conv{j}", 32, 32, 3, 2) for i in range(6) for j in (1, 2)],
    *[(f"filter.conv{i}", 32, 32, 3, 1) for i in range(5)],
    *[(f"refine.block{i}.conv1", 32, 32, 3, 1) for i in range(6)],
    ("refine.last", 1, 32, 3, 1),
]


def _layers() -> list[dict[str, Any]]:
    rows = []
    for index, (name, co, ci, k, calls) in enumerate(LAYER_SHAPES):
        weights = co * ci * k * k * (k if name.startswith("filter") else 1)
        density = 0.3 / (1 + index % 7) if name != "refine.last" else 1.0
        nonzero = round(weights * density)
        macs = weights * 544 * 960 // (64 if index < 16 else 4)
        for call in range(calls):
            rows.append(
                {
                    "name": name, "call": call, "kind": "Conv3d" if name.startswith("filter") else "Conv2d",
                    "weight_shape": [co, ci, k, k], "weight_count": weights, "nnz": nonzero,
                    "sparsity_percent": 100 * (1 - nonzero / weights), "weight_bits": 8 if co == 1 else 4,
                    "activation_bits": 8, "dense_macs": macs, "effectual_macs": round(macs * density),
                    "bops": round(macs * density) * 32, "best_format": "entropy coder" if index % 3 else "run-length",
                    "best_bytes": round(nonzero * 0.8) + 12, "mac_energy_pj": macs * density * 0.13,
                    "cycles": None if index == 5 else macs // 256,
                    "utilization": 0.9, "lane_utilization": 0.5, "skipped_cycles": macs // 512,
                    "dram_bytes": macs / 40, "dense_dram_bytes": macs / 8, "roofline_cycles": macs // 200,
                    "intensity_macs_per_byte": 40.0, "dense_intensity_macs_per_byte": 8.0,
                    "dense_roofline_cycles": macs // 128, "bound": "memory" if index == 1 else "compute",
                    "joint_effectual_percent": None,
                }
            )  # fmt: skip
    return rows


def _accuracy() -> list[dict[str, Any]]:
    rows = []
    figures = {
        "sceneflow: FlyingThings3D TEST": ((1.366, 14.1, 8.2, 6.4, 6.05), (1.71, 17.9, 10.4, 8.1, 7.62),
                                           (1.842, 18.8, 11.0, 8.7, 8.11)),
        "synthetic: unseen": ((0.912, 9.5, 5.0, 3.4, 3.2), (1.01, 10.8, 5.6, 3.9, 3.61), (1.087, 11.4, 6.1, 4.2, 3.9)),
    }  # fmt: skip
    for data, stages in figures.items():
        for stage, (epe, bad1, bad2, bad3, d1) in zip(("dense", "pruned", "quantized"), stages, strict=True):
            rows.append(
                {
                    "data": data, "stage": stage, "epe_px": epe, "bad1_percent": bad1, "bad2_percent": bad2,
                    "bad3_percent": bad3, "d1_percent": d1, "pixels": 518_400, "images": 1, "aggregation": "pooled",
                }
            )  # fmt: skip
    return rows


REPORT: dict[str, Any] = as_json(unknown(Report)) | {
    "network": {"name": "stereonet", "parameters": 624_001, "input_size": [544, 960], "max_disparity": 192},
    "accuracy": _accuracy(),
    "memory": {
        "dense_bytes": 2_496_004,
        "values_bytes": 31_200,
        "formats": {"dense": 312_000, "bitmap": 109_200, "csr": 121_400, "run-length": 71_900, "huffman": 66_300,
                    "coded": 52_800},
        "best_format": "coded",
        "entropy_bound_bytes": 52_100,
        "packed_file_bytes": 58_432,
        "reduction_percent": 97.659,
        "stage_bytes": {"pruned": 274_500},
    },
    "operations": {
        "dense_macs": 91_700_000_000,
        "effectual_macs": 6_120_000_000,
        "bops": {
            "mac_product": {"dense": 93_900_800_000_000, "compressed": 195_840_000_000},
            "uniq": {"dense": 101_300_000_000_000, "compressed": 312_000_000_000},
        },
        "reduction_percent": {"macs": 93.326, "bops": 99.791},
    },
    "hardware": {
        "profile": "horowitz45",
        "mac_energy_pj": {"dense": 421_820_000_000.0, "compressed": 1_224_000_000.0},
        "mac_area_um2": {"dense": 11_884.0, "compressed": 278.0},
        "memory_energy_pj": {"dense": 3_120_000_000.0, "compressed": 73_000_000.0},
        "reduction_percent": {"mac_energy": 99.7098, "mac_area": 97.661, "total_energy": 99.695},
    },
    "latency": {"array": [16, 16], "dataflow": "os", "cycles": {"dense": 401_000_000, "compressed": None},
                "utilization": 0.893},
    "machine": {"array": [16, 16], "dataflow": "os", "buffer_bytes": 131_072, "dram_bytes_per_cycle": 16.0,
                "lanes": 16, "clock_mhz": 400.0},
    "traffic": {
        "sram_bytes": {"dense": 985e6, "compressed": 450e6},
        "partial_sum_bytes": {"dense": 637e6, "compressed": 383e6},
        "compulsory_dram_bytes": {"dense": 54e6, "compressed": 11e6},
        "dram_bytes": {"dense": 75e6, "compressed": 12e6},
        "sram_energy_pj": {"dense": 4.93e9, "compressed": 2.25e9},
        "dram_energy_pj": {"dense": 12.2e9, "compressed": 1.98e9},
        "untiled": [],
        "reduction_percent": {"sram": 54.3, "dram": 84.0},
    },
    "roofline": {
        "multipliers": 256,
        "ridge_macs_per_byte": 16.0,
        "cycles": {"dense": 500_000_000, "compressed": 410_000_000, "skipped": 120_000_000},
        "memory_bound_cycles_percent": {"dense": 51.5, "compressed": 3.2, "skipped": 46.4},
        "milliseconds": {"dense": 1250.0, "compressed": 1025.0, "skipped": 300.0},
    },
    "sparse_execution": {
        "cycles": {"dense": 401_000_000, "gated": 401_000_000, "skipped": 100_000_000, "skipped_balanced": 80_000_000},
        "mac_energy_pj": {"dense": 2e10, "gated": 1.2e9, "skipped": 1.2e9, "skipped_balanced": 1.2e9},
        "lane_utilization": {"in_order": 0.25, "balanced": 0.31},
    },
    "effectual": {
        "data": "synthetic: unseen", "pairs": 1, "size": [256, 512], "cropped": True, "dense_macs": 1_000_000,
        "macs": {"by_weight": 100_000, "by_activation": 600_000, "by_both": 50_000},
        "share_percent": {"by_weight": 10.0, "by_activation": 60.0, "by_both": 5.0},
    },
    "accumulators": {"worst_case_bits": 23, "weights_bits": 20, "data_bits": 18, "integer_layers": 31,
                     "float_layers": 1},
    "multipliers": {"multiplier_adders": 8520, "sum_adders": 19_400, "shifts": 3000, "shift_only_percent": 57.9,
                    "adders_per_weight": 0.42},
    "activations": {"peak_bytes": {"dense": 214_000_000, "compressed": 53_500_000}},
    "coverage": {"macs_modelled_percent": 99.98, "unmodelled": ["soft-argmin"]},
    "layers": _layers(),
    "settings": {
        "score": "taylor", "scope": "global", "schedule": "log-density, 8 events", "pattern": "element",
        "mode": "reconstruct", "quantizer": "lsq", "allocation": "uniform, 4 bits", "teacher": None, "seed": 0,
        "steps": {"prune": 800, "finetune": 400, "finetune_quantized": 600},
        "seconds": {"prune": 1290.4, "finetune": 611.0, "finetune_quantized": 902.5},
    },
}  # fmt: skip


def read(stored: dict[str, Any]) -> Report:
    """The report of report.json's fields."""
    return parse_report(json.dumps(stored))


@pytest.fixture(name="read")
def read_fixture() -> Callable[[dict[str, Any]], Report]:
    """`read`, for tests that change what is stored."""
    return read


@pytest.fixture
def stored() -> dict[str, Any]:
    """The fields of report.json, a fresh copy, so that a test may change it."""
    return copy.deepcopy(REPORT)


@pytest.fixture(scope="session")
def report() -> Report:
    """The same as a report."""
    return read(REPORT)


@pytest.fixture(scope="session")
def empty() -> Report:
    """A report that knows nothing."""
    return unknown(Report)


@pytest.fixture
def panels() -> list[Panel]:
    """Two small pairs; the second has sparse truth and a pixel without an estimate."""
    generator = np.random.default_rng(0)
    truth = np.linspace(1, 60, 48 * 96, dtype=np.float32).reshape(48, 96)
    dense = truth + generator.normal(0, 1, truth.shape).astype(np.float32)
    compressed = truth + generator.normal(0, 3, truth.shape).astype(np.float32)
    compressed[0, 0] = np.nan
    left = generator.integers(0, 256, (48, 96, 3), dtype=np.uint8)
    valid = generator.random(truth.shape) < 0.2
    return [
        Panel(id=name, left=left, ground_truth=truth, valid=mask, dense=dense, compressed=compressed)
        for name, mask in (("TEST/A/0000/0006", np.ones_like(valid)), ("kitti <b>1</b>", valid))
    ]


@pytest.fixture
def history() -> list[dict[str, Any]]:
    """Metrics rows of three stages as the run's folders hold them."""
    rows: list[dict[str, Any]] = []
    for stage, steps, start, end in (("00-prune", 800, 0.0, 0.94), ("01-finetune", 400, 0.94, 0.94),
                                     ("03-finetune-quantized", 600, 0.94, 0.94)):  # fmt: skip
        for step in range(20, steps + 1, 20):
            sparsity = start + (end - start) * min(1.0, step // 100 * 100 / (0.7 * steps))
            row: dict[str, Any] = {
                "stage": stage,
                "step": step,
                "loss": 2.5 - 0.8 * (step / steps) ** 0.5 + 0.2 * np.sin(step),
            }
            row |= {"sparsity": sparsity, "learning_rate": 1e-3}
            if step % 200 == 0:
                row["epe_px"] = 1.6 + 0.3 * (1 - step / steps)
            rows.append(row)
    return rows
