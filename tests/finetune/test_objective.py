"""The objective: which pixels count, truth and teacher, precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.objective import Objective, runs_in_bfloat16
from disparsity.finetune.settings import DenseTeacherSettings, PhotometricSettings, TrainSettings
from disparsity.stereo.losses import smooth_l1
from disparsity.stereo.networks import build_network
from disparsity.stereo.photometric import photometric_loss, visible_in_both


def objective(teacher: Any = None, taught: tuple[float, float] = (0.0, 0.0), **changes: Any) -> Objective:
    weights = DenseTeacherSettings(weight=taught[0], volume_weight=taught[1])
    return Objective(settings=TrainSettings(steps=1, teacher=weights, **changes), teacher=teacher)


def test_truth_counts_where_known_and_below_the_networks_maximum(network: Any, batches: Callable[[int], Batch]) -> None:
    net, batch = network().eval(), batches(0)
    valid = batch.valid.clone()
    valid[:, :10] = False
    truth = batch.disparity.clone()
    truth[:, 20:] = 16.0  # as large as the network's maximum: not learnable
    batch = replace(batch, disparity=truth, valid=valid)
    known = valid & (truth < 16)
    assert known.any()
    with torch.no_grad():
        expected = smooth_l1(net(batch.left, batch.right), truth, known, (1.0, 1.0))
        assert float(objective(supervised_weight=2.0)(net, batch)) == pytest.approx(2 * float(expected))


def test_teacher_counts_everywhere_and_gets_no_gradient(network: Any, batches: Callable[[int], Batch]) -> None:
    net, teacher, batch = network().eval(), network(seed=1).eval(), batches(0)
    batch = replace(batch, valid=torch.zeros_like(batch.valid))
    loss = objective(teacher, taught=(3.0, 0.0))(net, batch)
    loss.backward()
    with torch.no_grad():
        goal = teacher(batch.left, batch.right)[-1]
        expected = smooth_l1(net(batch.left, batch.right), goal, torch.ones_like(batch.valid), (1.0, 1.0))
    assert float(loss.detach()) == pytest.approx(3 * float(expected))
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert any(parameter.grad is not None for parameter in net.parameters())


def test_own_teacher_leaves_only_the_coarse_map(network: Any, batches: Callable[[int], Batch]) -> None:
    net, batch = network().eval(), batches(0)
    with torch.no_grad():
        coarse, fine = net(batch.left, batch.right)
        loss = objective(net, supervised_weight=0.0, taught=(1.0, 0.0))(net, batch)
    assert float(loss) == pytest.approx(float(torch.nn.functional.smooth_l1_loss(coarse, fine)), rel=1e-5)


def test_bfloat16_keeps_the_loss_in_float32_and_close(network: Any, batches: Callable[[int], Batch]) -> None:
    net, batch = network().eval(), batches(0)
    with torch.no_grad():
        full, half = objective()(net, batch), objective(precision="bfloat16")(net, batch)
    assert half.dtype == torch.float32
    assert float(half) == pytest.approx(float(full), rel=0.05)
    assert float(half) != float(full)


def unlabelled(batch: Batch) -> Batch:
    return replace(batch, valid=torch.zeros_like(batch.valid), disparity=torch.zeros_like(batch.disparity))


@pytest.mark.parametrize("occlusion", ["network", "teacher"])
def test_the_views_alone_train_a_network(network: Any, batches: Callable[[int], Batch], occlusion: str) -> None:
    net, judge = network(), network(seed=1).eval()
    photometric = PhotometricSettings(weight=2.0, occlusion=occlusion)
    teacher = DenseTeacherSettings(weight=0.0)
    settings = TrainSettings(steps=1, supervised_weight=0.0, teacher=teacher, photometric=photometric)
    batch = unlabelled(batches(0))
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    net.train()
    passed = net(batch.left, batch.right)  # one forward pass of training moves the statistics; the check must not
    after = {name: buffer.clone() for name, buffer in net.named_buffers()}
    net.load_state_dict(before, strict=False)
    loss = Objective(settings=settings, teacher=judge)(net, batch)
    assert float(loss.detach()) > 0
    assert all(torch.equal(buffer, after[name]) for name, buffer in net.named_buffers())
    assert all(module.training for module in net.modules())
    loss.backward()
    assert any(bool(p.grad.any()) for p in net.parameters() if p.grad is not None)
    assert all(parameter.grad is None for parameter in judge.parameters())
    assert len(passed) == 2


def test_the_photometric_loss_is_that_of_the_pixels_both_views_see(
    network: Any, batches: Callable[[int], Batch]
) -> None:
    net, batch = network().eval(), unlabelled(batches(0))
    with torch.no_grad():
        found = objective(supervised_weight=0.0, photometric=PhotometricSettings(weight=3.0))(net, batch)
        maps = net(batch.left, batch.right)
        mirrored = net(batch.right.flip(-1), batch.left.flip(-1))[-1].flip(-1)
        visible = visible_in_both(maps[-1], mirrored)
        expected = photometric_loss(maps, batch.left, batch.right, visible, net.spec.loss_weights)
    assert visible.any()
    assert float(found) == pytest.approx(3 * float(expected))


def test_the_volumes_of_the_teacher_are_learned(network: Any, batches: Callable[[int], Batch]) -> None:
    net, teacher, batch = network().eval(), network(seed=1).eval(), unlabelled(batches(0))
    costs: list[torch.Tensor] = []
    handles = [n.soft_argmin.register_forward_pre_hook(lambda _, x: costs.append(x[0])) for n in (net, teacher)]
    loss = objective(teacher, supervised_weight=0.0, taught=(0.0, 3.0))(net, batch)
    for handle in handles:
        handle.remove()
    own, goal = (torch.softmax(-cost.detach().double(), dim=1) for cost in costs)
    expected = (goal * (goal / own).log()).sum(dim=1).mean()
    assert float(loss.detach()) == pytest.approx(3 * float(expected), rel=1e-4)
    assert float(expected) > 1e-5
    loss.backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    before = [p for name, p in net.named_parameters() if name.startswith("cost_volume_filter.") and p.grad is not None]
    behind = [p for name, p in net.named_parameters() if name.startswith("refine.") and p.grad is not None]
    assert any(bool(parameter.grad.any()) for parameter in before)
    assert behind == []


def test_volumes_and_maps_of_a_teacher_add_up(network: Any, batches: Callable[[int], Batch]) -> None:
    net, teacher, batch = network().eval(), network(seed=1).eval(), batches(0)
    with torch.no_grad():
        maps = objective(teacher, supervised_weight=0.0, taught=(2.0, 0.0))(net, batch)
        volumes = objective(teacher, supervised_weight=0.0, taught=(0.0, 5.0))(net, batch)
        both = objective(teacher, supervised_weight=0.0, taught=(2.0, 5.0))(net, batch)
        own = objective(net, supervised_weight=0.0, taught=(0.0, 5.0))(net, batch)
    assert float(both) == pytest.approx(float(maps) + float(volumes), rel=1e-5)
    assert float(own) == pytest.approx(0.0, abs=1e-6)


def test_padding_teaches_nothing(network: Any, batches: Callable[[int], Batch]) -> None:
    net, teacher, whole = network().eval(), network(seed=1).eval(), batches(0)
    batch = replace(whole, left=whole.left[..., 3:, :-2], right=whole.right[..., 3:, :-2],
                    disparity=whole.disparity[..., 3:, :-2], valid=whole.valid[..., 3:, :-2])  # fmt: skip
    costs: list[torch.Tensor] = []
    handles = [n.soft_argmin.register_forward_pre_hook(lambda _, x: costs.append(x[0])) for n in (net, teacher)]
    with torch.no_grad():
        loss = objective(teacher, supervised_weight=0.0, taught=(0.0, 1.0))(net, batch)
    own, goal = (torch.softmax(-cost.double(), dim=1) for cost in costs)
    per_cell = (goal * (goal / own).log()).sum(dim=1)
    inside = torch.ones(8, 16)  # cells of 4 x 4 pixels: three rows are padded above, two columns on the right
    inside[0] *= 1 / 4
    inside[:, -1] *= 2 / 4
    assert per_cell.shape[-2:] == inside.shape
    assert float(loss) == pytest.approx(float((per_cell * inside).sum() / (2 * inside.sum())), rel=1e-4)
    assert len(handles) == 2


def test_a_network_without_volumes_has_no_distribution_to_teach(batches: Callable[[int], Batch]) -> None:
    net = build_network("dispnetc", width=2).eval()
    with pytest.raises(InputError, match=r"dispnetc: the network has no cost volume in front of a soft-argmin"):
        objective(net, supervised_weight=0.0, taught=(0.0, 1.0))(net, batches(0))


def test_parts_of_a_batch_average_to_its_loss_and_gradient(network: Any, batches: Callable[[int], Batch]) -> None:
    """BatchNorm in eval mode; the parts know different numbers of pixels."""
    net, teacher, batch = network().eval(), network(seed=1).eval(), batches(0)
    valid = batch.valid.clone()
    valid[0, :, :40] = False
    batch = replace(batch, valid=valid)
    whole = objective(teacher, taught=(0.5, 0.0))
    expected = whole(net, batch)
    wanted = torch.autograd.grad(expected, list(net.parameters()), allow_unused=True)
    parts = [part / 2 for part in whole.parts(net, batch, 2)]
    assert float(sum(part.detach() for part in parts)) == pytest.approx(float(expected.detach()), rel=1e-6)
    found = torch.autograd.grad(sum(parts), list(net.parameters()), allow_unused=True)
    for one, other in zip(wanted, found, strict=True):
        assert one is None or torch.allclose(one, other, atol=1e-5 * max(1.0, float(one.abs().max())))
    with torch.no_grad():
        naive = sum(float(whole(net, part)) / 2 for part in batch.split(2))
    assert naive != pytest.approx(float(expected.detach()), rel=1e-4)  # parts weighed alike are another loss


def test_precision_follows_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert runs_in_bfloat16("auto", "cuda")
    assert not runs_in_bfloat16("auto", "cpu")
    assert runs_in_bfloat16("bfloat16", "cpu")
    assert not runs_in_bfloat16("float32", "cuda")
