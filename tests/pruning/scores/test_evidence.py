"""Evidence of scores: a layer that no gradient reaches is exempt, and a network without any score is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.pruning.scores.evidence import has_evidence, no_evidence, with_evidence
from disparsity.pruning.scores.fisher import fisher_obs_scores
from disparsity.pruning.scores.quant_aware import quant_aware_scores
from disparsity.pruning.scores.snip import snip_scores
from disparsity.pruning.scores.synflow import synflow_scores
from disparsity.pruning.scores.taylor import TaylorScore, taylor_pass
from disparsity.pruning.selection import FloorSettings, select_global, select_per_layer

FLOOR = FloorSettings(fraction=0.0)


class Net(nn.Module):
    """Three layers, of which the middle one may be frozen; a fourth is never called."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.middle, self.last, self.unused = (
            nn.Conv2d(*ends, 1) for ends in ((3, 4), (4, 4), (4, 2), (2, 2))
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.last(self.middle(self.first(image).relu()))

    def layers(self) -> dict[str, nn.Module]:
        return dict(self.named_children())


def loss_of(network: Net) -> Callable[[int], Tensor]:
    return lambda number: (
        network(torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(number))).square().mean()
    )


SCORES: dict[str, Callable[[Net], dict[str, Tensor]]] = {
    "taylor_pass": lambda net: taylor_pass(net, net.layers(), loss_of(net), 2),
    "abs_mean": lambda net: taylor_pass(net, net.layers(), loss_of(net), 2, "abs_mean"),
    "snip": lambda net: snip_scores(net, net.layers(), loss_of(net), 2),
    "fisher_obs": lambda net: fisher_obs_scores(net, net.layers(), loss_of(net), 2),
    "quant_aware": lambda net: quant_aware_scores(
        net, net.layers(), loss_of(net), 2, lambda layer: layer.weight.detach()
    ),
}


@pytest.mark.parametrize("score", SCORES)
def test_a_frozen_layer_and_one_that_never_runs_have_no_score(score: str) -> None:
    network = Net()
    network.middle.weight.requires_grad_(False)
    found = SCORES[score](network)
    assert {name for name, values in found.items() if has_evidence(values)} == {"first", "last"}
    assert list(with_evidence(found)) == ["first", "last"]
    assert all(bool((found[name] > 0).any()) for name in ("first", "last"))


def test_synflow_has_no_score_where_no_path_leads() -> None:
    network = Net()
    found = synflow_scores(network, network.layers(), lambda net: net(torch.ones(1, 3, 4, 4).double()).sum())
    assert {name for name, values in found.items() if has_evidence(values)} == {"first", "middle", "last"}


def test_the_running_average_keeps_its_evidence_over_a_resumption() -> None:
    network = Net()
    network.middle.weight.requires_grad_(False)
    score, again = TaylorScore(network.layers(), decay=0.5), TaylorScore(network.layers(), decay=0.5)
    loss_of(network)(0).backward()
    score.add_batch()
    again.load(score.state())
    assert all(torch.equal(again.scores()[name], values) for name, values in score.scores().items())
    assert not has_evidence(again.scores()["middle"])


@pytest.mark.parametrize("select", [select_global, select_per_layer])
def test_a_layer_without_a_score_is_kept_and_not_counted(select: Callable[..., dict[str, Tensor]]) -> None:
    ranked = {"a": torch.arange(10.0).view(2, 5), "c": torch.arange(20.0).view(4, 5)}
    masks = select({"a": ranked["a"], "b": no_evidence(torch.rand(3, 3)), "c": ranked["c"]}, 0.5, FLOOR)
    assert list(masks) == ["a", "b", "c"]
    assert bool(masks["b"].all())
    alone = select(ranked, 0.5, FLOOR)
    assert all(torch.equal(masks[name], mask) for name, mask in alone.items())
    assert sum(int(mask.sum()) for mask in alone.values()) == 15


def test_no_score_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="no weight has a score; found no gradient in any layer"):
        with_evidence({"a": no_evidence(torch.ones(2))})
    with pytest.raises(InputError, match="no weight has a score; found gradients that are all zero"):
        with_evidence({"a": no_evidence(torch.ones(2)), "b": torch.zeros(3)})
    with pytest.raises(InputError, match="no weight has a score"):
        with_evidence({})
