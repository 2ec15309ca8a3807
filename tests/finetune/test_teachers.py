"""The teacher inside the student, and teachers of several maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.base.layers import trained_weight
from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import DenseTeacherSettings, InNetworkTeacherSettings, TrainSettings
from disparsity.finetune.teachers import InNetworkTeacher, coarse_maps, pair_maps
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import attach_masks, masks_of, set_masks, zero_pruned
from disparsity.pruning.prunable import prunable_layers
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits
from disparsity.quant.folding.batch_norm import fold_batchnorm, fold_named, folded_pairs
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network

Build = Callable[..., StereoNetwork]


def pruned(network: StereoNetwork, seed: int = 0) -> StereoNetwork:
    """The network with half of its weights pruned at random."""
    generator = torch.Generator().manual_seed(seed)
    layers = prunable_layers(network, network.spec.protected)
    attach_masks(network, layers)
    shapes = {name: trained_weight(layer).shape for name, layer in layers.items()}
    set_masks(network, {name: torch.rand(shape, generator=generator) < 0.5 for name, shape in shapes.items()})
    zero_pruned(network)
    return network


def test_live_weights_are_the_students_and_pruned_ones_the_dense_networks(network: Build) -> None:
    dense, student = network().eval(), pruned(network(seed=1))
    before = {name: tensor.clone() for name, tensor in dense.state_dict().items()}
    teacher = InNetworkTeacher(dense, batch_statistics=True)
    joined = teacher.joined(student)
    for name, mask in masks_of(student).items():
        weight = joined.get_submodule(name).weight
        assert torch.equal(weight[mask], student.get_submodule(name).weight[mask])
        assert torch.equal(weight[~mask], dense.get_submodule(name).weight[~mask])
    for name in student.spec.protected:
        assert torch.equal(joined.get_submodule(name).weight, student.get_submodule(name).weight)
    # what is pruned later falls back to the dense value, not to what the student had there
    set_masks(student, {name: torch.zeros_like(mask) for name, mask in masks_of(student).items()})
    joined = teacher.joined(student)
    assert all(torch.equal(joined.get_submodule(n).weight, before[f"{n}.weight"]) for n in masks_of(student))
    assert all(torch.equal(tensor, before[name]) for name, tensor in dense.state_dict().items())


def test_of_an_untrained_student_it_is_the_dense_network(network: Build, batches: Callable[[int], Batch]) -> None:
    dense, batch = network().eval(), batches(0)
    joined = InNetworkTeacher(dense, batch_statistics=False).joined(pruned(network()))
    with torch.no_grad():
        expected, found = dense(batch.left, batch.right)[-1], joined(batch.left, batch.right)[-1]
    assert torch.equal(found, expected)


def test_batches_leave_no_trace_in_it(network: Build, batches: Callable[[int], Batch]) -> None:
    teacher, student = InNetworkTeacher(network().eval(), batch_statistics=True), pruned(network())
    with torch.no_grad():
        maps = []
        for step in (0, 1, 0):
            batch = batches(step)
            maps.append(teacher.joined(student)(batch.left, batch.right)[-1])
    assert torch.equal(maps[0], maps[2])
    norms = [module for module in teacher.joined(student).modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms
    assert not any(bool(norm.running_mean.any()) for norm in norms if norm.running_mean is not None)


def test_another_structure_is_refused(network: Build, batches: Callable[[int], Batch]) -> None:
    teacher, batch = InNetworkTeacher(network().eval(), batch_statistics=True), batches(0)
    with pytest.raises(InputError, match=r"built otherwise than the dense network.*take teacher = \"dense\""):
        teacher.joined(network(width=8))
    folded = network().eval()
    fold_batchnorm(folded, (batch.left, batch.right))
    with pytest.raises(InputError, match="built otherwise"):
        teacher.joined(folded)


def test_a_folded_and_quantized_student_has_one_too(network: Build, batches: Callable[[int], Batch]) -> None:
    dense, student, batch = network().eval(), pruned(network()).eval(), batches(0)
    views = (batch.left, batch.right)
    fold_batchnorm(student, views)
    attach_quantizers(student, {name: LayerBits(weights=3, activations=8) for name in masks_of(student)})
    calibrate(student, [views])
    teacher = InNetworkTeacher(dense, batch_statistics=True, folded=folded_pairs(student))
    folded = network().eval()
    fold_named(folded, folded_pairs(student))
    joined = teacher.joined(student)
    for name, mask in masks_of(student).items():
        weight = joined.get_submodule(name).weight
        assert torch.equal(weight[mask], student.get_submodule(name).weight[mask])
        assert torch.equal(weight[~mask], folded.get_submodule(name).weight[~mask])
    assert not folded_pairs(dense)


def test_it_is_trusted_where_it_is_not_worse(network: Build, batches: Callable[[int], Batch]) -> None:
    batch = batches(0)
    dense, student = network().eval(), pruned(network(seed=1)).eval()
    teacher = InNetworkTeacher(dense, batch_statistics=False)
    settings = TrainSettings(steps=1, supervised_weight=0.0, teacher=InNetworkTeacherSettings())
    with torch.no_grad():
        goal = teacher.joined(student)(batch.left, batch.right)[-1]
        own = student(batch.left, batch.right)[-1]
        perfect = replace(batch, disparity=own, valid=torch.ones_like(batch.valid))
        assert float(Objective(settings=settings, teacher=teacher)(student, perfect)) == 0.0
        helpful = replace(perfect, disparity=goal)
        unlabelled = replace(perfect, valid=torch.zeros_like(batch.valid))
        losses = [float(Objective(settings=settings, teacher=teacher)(student, b)) for b in (helpful, unlabelled)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[0] > 0.0


def test_a_resumed_phase_finds_the_same_teacher(network: Build, batches: Callable[[int], Batch]) -> None:
    settings = TrainSettings(steps=4, learning_rate=5e-3, teacher=InNetworkTeacherSettings())
    stored: dict[str, Tensor] = {}

    class Snapshot(StepHook):
        def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
            if step == 1:
                stored.update({name: tensor.detach().clone() for name, tensor in trainer.state().items()})

    def build(hooks: list[StepHook], seed: int) -> Trainer:
        teacher = InNetworkTeacher(network().eval(), batch_statistics=True)
        return Trainer(pruned(network(seed=seed)), batches, Objective(settings=settings, teacher=teacher), hooks)

    unbroken, resumed = build([Snapshot()], 1), build([], 2)
    unbroken.run("test")
    resumed.load(stored)
    resumed.run("test")
    assert all(torch.equal(resumed.state()[name], tensor) for name, tensor in unbroken.state().items())


def test_maps_find_the_goal_of_their_place() -> None:
    maps, goals = tuple(torch.tensor(float(i)) for i in range(4)), tuple(torch.tensor(10.0 + i) for i in range(4))
    assert pair_maps(maps, goals) == list(zip(maps, goals, strict=True))
    assert [float(goal) for _, goal in pair_maps(maps, goals[2:])] == [13.0, 13.0, 12.0, 13.0]
    assert [float(goal) for _, goal in pair_maps(maps[-1:], goals)] == [13.0]


def test_coarse_maps_without_training_the_layers() -> None:
    torch.manual_seed(0)
    net = build_network("mobilestereonet_2d").eval()
    views = torch.rand(2, 1, 3, *(net.spec.divisor,) * 2).unbind()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with torch.no_grad(), coarse_maps(net):
        maps = net(*views)
    with torch.no_grad():
        (fine,) = net(*views)
    assert len(maps) == 4
    assert torch.equal(maps[-1], fine)
    assert not net.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_every_map_learns_from_the_map_of_its_place(network: Build, batches: Callable[[int], Batch]) -> None:
    teacher, student, batch = network().eval(), network(seed=1).eval(), batches(0)
    changes: dict[str, Any] = {"supervised_weight": 0.0, "teacher": DenseTeacherSettings(weight=2.0, maps="all")}
    with torch.no_grad():
        assert float(Objective(settings=TrainSettings(steps=1, **changes), teacher=teacher)(teacher, batch)) == 0.0
        found = Objective(settings=TrainSettings(steps=1, **changes), teacher=teacher)(student, batch)
        pairs = zip(student(batch.left, batch.right), teacher(batch.left, batch.right), strict=True)
        expected = 2 * sum(torch.nn.functional.smooth_l1_loss(own, goal) for own, goal in pairs)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
