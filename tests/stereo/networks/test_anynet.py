"""AnyNet: published sizes and accuracy, maps that add up, and costs that agree with torch's own count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.cli import main
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.anynet import AnyNet, AnyNetSettings
from disparsity.stereo.networks.published import load_published
from disparsity.stereo.volumes import warped


def tiny(**changes: Any) -> AnyNet:
    torch.manual_seed(0)
    return AnyNet(AnyNetSettings(**({"coarse_width": 4, "max_disparity": 64} | changes)), "anynet").eval()


def test_published_sizes() -> None:
    counts = {name: sum(p.numel() for p in build_network(name).parameters()) for name in ("anynet", "anynet_spn")}
    assert counts == {"anynet": 34_629, "anynet_spn": 43_269}


@pytest.mark.parametrize(("name", "maps"), [("anynet", 3), ("anynet_spn", 4)])
def test_maps_have_the_size_of_the_input_and_gradients_reach_every_weight(name: str, maps: int) -> None:
    torch.manual_seed(0)
    network = build_network(name)
    outputs = network(*torch.rand(2, 2, 3, 33, 65))
    assert (
        [tuple(disparity.shape) for disparity in outputs]
        == [(2, 33, 65)] * maps
        == [(2, 33, 65)] * len(network.spec.loss_weights)
    )
    sum(disparity.square().mean() for disparity in outputs).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


def test_every_scale_is_bounded_around_the_one_before() -> None:
    network = tiny()
    with torch.no_grad():
        coarse, middle, fine = network(*torch.rand(2, 1, 3, 64, 96))
    assert bool(((coarse >= 0) & (coarse <= 3 * 16)).all())
    assert float((middle - coarse).abs().max()) <= 2 * 8
    assert float((fine - middle).abs().max()) <= 2 * 4


def test_equal_costs_give_the_middle_of_the_range_and_no_residual() -> None:
    network = tiny()
    with torch.no_grad():
        for filters in network.volume_postprocess:
            filters[5][2].weight.zero_()
        maps = network(*torch.rand(2, 1, 3, 32, 64))
    for disparity in maps:
        torch.testing.assert_close(disparity, torch.full_like(disparity, 16 * 1.5))


def test_the_finer_volumes_see_the_estimate_in_their_own_pixels() -> None:
    network, seen = tiny(), []
    network.residual_volume.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[2]))
    with torch.no_grad():
        coarse, middle, _ = network(*torch.rand(2, 1, 3, 64, 96))
    assert [tuple(estimate.shape) for estimate in seen] == [(1, 8, 12), (1, 16, 24)]
    for estimate, full, ratio in zip(seen, (coarse, middle), (8, 4), strict=True):
        expected = F.interpolate(full[None], estimate.shape[-2:], mode="bilinear", align_corners=False)[0] / ratio
        torch.testing.assert_close(estimate, expected)


def test_the_propagation_only_refines_and_is_left_out_of_compression() -> None:
    network = build_network("anynet_spn").eval()
    assert network.spec.uncompressed == ("refine_spn",)
    assert not network.spec.compresses("refine_spn.0.2")
    plain = build_network("anynet").eval()
    plain.load_state_dict({k: v for k, v in network.state_dict().items() if not k.startswith("refine_spn.")})
    views = torch.rand(2, 1, 3, 32, 48)
    with torch.no_grad():
        for ours, theirs in zip(plain(*views), network(*views), strict=False):
            assert torch.equal(ours, theirs)


@pytest.mark.parametrize("changes", [{"width": 0}, {"radius": 0}, {"propagation": -1}, {"max_disparity": 24}])
def test_impossible_settings_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"AnyNet .*found"):
        AnyNetSettings(**changes)


@pytest.mark.parametrize(
    ("size", "gmacs"), [((384, 1248), 1.32), pytest.param((544, 960), 1.44, marks=pytest.mark.slow)]
)
def test_macs_are_those_measured_by_others(size: tuple[int, int], gmacs: float) -> None:
    # Their figures are those of the whole network, propagation included; 3D convolutions 1.00 of the 1.32.
    views = (torch.zeros(1, 3, *size, device="meta"),) * 2
    workload = trace_workload(build_network("anynet_spn"), views)
    assert workload.dense_macs == workload.counted_macs
    assert workload.unmodelled == ()
    assert workload.dense_macs / 1e9 == pytest.approx(gmacs, rel=5e-3)
    plain = trace_workload(build_network("anynet"), views)
    left_out = [call for call in workload.calls if call.name.startswith("refine_spn.")]
    assert workload.dense_macs - plain.dense_macs == sum(call.dense_macs for call in left_out)


def evaluated(shared: Path, network: str, frame: str, folder: Path) -> dict[str, float]:
    """The figures of the real command on one frame."""
    (folder / "split.txt").write_text(frame)
    weights, data = shared / "weights/anynet/kitti2015_ck.tar", shared / "data/kitti2015"
    arguments = [str(weights), "--network", network, "--data", f"kitti2015:{data}?ground_truth=noc"]
    assert main(["evaluate", *arguments, "--split", f"{folder}/split.txt", "--json", f"{folder}/row.json"]) == 0
    return json.loads((folder / "row.json").read_text())


FRAMES = [("000013", 1.14, 7.1, 1.01, 6.1), ("000159", 0.97, 5.1, 0.89, 4.4)]
"""Frame, EPE and D1 of the third scale (published to us), EPE and D1 after the propagation (first measured here)."""


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(("frame", "epe", "d1", "spn_epe", "spn_d1"), FRAMES)
def test_the_published_checkpoint_reaches_its_measured_accuracy(
    shared: Path, tmp_path: Path, frame: str, epe: float, d1: float, spn_epe: float, spn_d1: float
) -> None:
    row = evaluated(shared, "anynet", frame, tmp_path)
    assert row["epe_px"] == pytest.approx(epe, abs=0.02)
    assert row["d1_percent"] == pytest.approx(d1, abs=0.1)
    refined = evaluated(shared, "anynet_spn", frame, tmp_path)
    assert refined["epe_px"] == pytest.approx(spn_epe, abs=0.02)
    assert refined["d1_percent"] == pytest.approx(spn_d1, abs=0.1)


@pytest.mark.data
@pytest.mark.slow
def test_another_convention_of_the_warp_would_be_caught(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_a_pixel_off(right: Tensor, grid: Tensor, **settings: Any) -> Tensor:
        return F.grid_sample(right, grid, **(settings | {"align_corners": False}))

    class Functional:
        grid_sample = staticmethod(half_a_pixel_off)

    monkeypatch.setattr(warped, "F", Functional)
    row = evaluated(shared, "anynet", "000159", tmp_path)
    assert row["d1_percent"] > 5.1 + 2
    assert row["epe_px"] > 0.97 + 0.2


@pytest.mark.data
@pytest.mark.parametrize("file", ["kitti2015_ck.tar", "kitti2012_ck.tar", "sceneflow.tar"])
def test_all_published_files_load_with_and_without_the_propagation(shared: Path, file: str) -> None:
    path = shared / "weights/anynet" / file
    plain, refined = (load_published(path, name).state_dict() for name in ("anynet", "anynet_spn"))
    assert all(torch.equal(refined[name], tensor) for name, tensor in plain.items())
    assert {name.split(".")[0] for name in set(refined) - set(plain)} == {"refine_spn"}
    assert all(tensor.device.type == "cpu" for tensor in refined.values())
