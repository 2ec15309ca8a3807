"""Networks of every kind through the packed file: state, structure and outputs to the bit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.base.layers import effective_weight, quantizable_layers
from disparsity.checkpoint.packed import pack_network, read_network, write_checked, write_network
from disparsity.checkpoint.restore import network_metadata, open_network
from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer, PackedNetwork
from disparsity.hwcost.codec.packing import pack
from disparsity.pruning.masks import attach_masks, masks_of, set_masks, zero_pruned
from disparsity.pruning.prunable import prunable_layers
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.finalise import finalise
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.quantizers.registry import QUANTIZERS
from disparsity.quant.quantizers.settings import PerGroupSettings
from disparsity.quant.settings import BitSettings
from disparsity.run.stages.layer_bits import bits_of, compressed_layers
from disparsity.stereo.networks import build_network

STAGES = ["dense", "01-prune", "03-quantize", "04-finetune_quantized"]


def stage(name: str, checkpoint: Path, finished: Path) -> str:
    return str(checkpoint if name == "dense" else finished / "stages" / name)


@pytest.mark.parametrize("name", STAGES)
def test_round_trip(checkpoint: Path, finished: Path, tmp_path: Path, name: str) -> None:
    before = open_network(stage(name, checkpoint, finished), None)
    size = write_network(tmp_path / "packed.h5", before)
    assert size == (tmp_path / "packed.h5").stat().st_size
    after = read_network(tmp_path / "packed.h5")
    assert network_metadata(after) == network_metadata(before)
    for name_, layer in quantizable_layers(before).items():
        assert torch.equal(effective_weight(layer), effective_weight(after.get_submodule(name_))), name_
    views = torch.rand(2, 2, 3, 40, 72, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for first, second in zip(before(*views), after(*views), strict=True):
            assert torch.equal(first, second)
    assert not after.training


def test_unfolded_norms_and_layers_in_float_beside_integers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    before = build_network("anynet_spn").eval()
    views = torch.rand(2, 1, 3, 32, 48)
    chosen = compressed_layers(before, prunable_layers(before, before.spec.protected))
    attach_masks(before, chosen)
    set_masks(before, {name: torch.rand_like(layer.weight) < 0.5 for name, layer in chosen.items()})
    zero_pruned(before)
    fold_batchnorm(before, tuple(views))
    attach_quantizers(before, bits_of(before, BitSettings(weight_bits=5)))
    calibrate(before, [tuple(views)])
    finalise(before)
    write_network(tmp_path / "packed.h5", before)
    after = read_network(tmp_path / "packed.h5")
    with torch.no_grad():
        assert all(torch.equal(a, b) for a, b in zip(before(*views), after(*views), strict=True))
    kinds = {layer.name: type(layer) for layer in pack_network(before).layers}
    assert {name for name, kind in kinds.items() if kind is FloatLayer} == {
        name for name in kinds if name.startswith("refine_spn.")
    }
    norms = [name for name, module in after.named_modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    assert "volume_postprocess.0.0.0" in norms
    assert "volume_postprocess.0.1.0" not in norms


@pytest.mark.parametrize("name", QUANTIZERS)
def test_every_quantizer_comes_back_bit_by_bit(tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    before = build_network("reference", halvings=2, width=4, refinement_width=2, max_disparity=16).eval()
    views = torch.rand(2, 1, 3, 32, 64)
    fold_batchnorm(before, tuple(views))
    layers = prunable_layers(before, before.spec.protected)
    kind = QUANTIZERS[name].settings
    if kind.keeps_zeros:
        attach_masks(before, layers)
        set_masks(before, {each: torch.rand_like(layer.weight) < 0.3 for each, layer in layers.items()})
        zero_pruned(before)
    bits = bits_of(before, BitSettings(weight_bits=kind.widths[-1]))
    shared = {} if name == "transform" else {"granularity": PerGroupSettings(size=5)}
    attach_quantizers(before, bits, quantizer=kind(**shared))
    calibrate(before, [tuple(views)])
    finalise(before)
    write_network(tmp_path / "packed.h5", before)
    after = read_network(tmp_path / "packed.h5")
    assert network_metadata(after) == network_metadata(before)
    with torch.no_grad():
        assert all(torch.equal(a, b) for a, b in zip(before(*views), after(*views), strict=True))
    for each, layer in quantizable_layers(before).items():
        assert torch.equal(effective_weight(layer), effective_weight(after.get_submodule(each))), each


def test_masks_are_where_the_weights_are_not_zero(finished: Path, tmp_path: Path) -> None:
    write_network(tmp_path / "packed.h5", open_network(str(finished / "stages" / "01-prune"), None))
    after = read_network(tmp_path / "packed.h5")
    assert masks_of(after)
    for name, mask in masks_of(after).items():
        assert torch.equal(mask, after.get_submodule(name).weight != 0)


def test_quantized_layers_are_integers_and_the_others_float(checkpoint: Path, quantized: Path) -> None:
    assert all(isinstance(layer, FloatLayer) for layer in pack_network(open_network(str(checkpoint), None)).layers)
    packed = pack_network(open_network(str(quantized), None))
    assert all(isinstance(layer, PackedLayer) for layer in packed.layers)
    assert all(abs(layer.codes).max() < 2 ** (layer.bits - 1) for layer in packed.layers)


def test_the_same_network_gives_the_same_file(quantized: Path, tmp_path: Path) -> None:
    for name in ("one.h5", "two.h5"):
        write_network(tmp_path / name, open_network(str(quantized), None))
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_network(tmp_path / "nowhere.h5")


def test_a_file_whose_parts_do_not_fit(quantized: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = pack_network(open_network(str(quantized), None))
    some = next(iter(packed.tensors.values()))
    wrong = [
        PackedNetwork(layers=packed.layers, tensors=packed.tensors, header={}),
        PackedNetwork(layers=packed.layers[1:], tensors=packed.tensors, header=packed.header),
        PackedNetwork(layers=packed.layers, tensors={**packed.tensors, "stranger": some}, header=packed.header),
        PackedNetwork(layers=packed.layers, tensors=packed.tensors, header={**packed.header, "folded": []}),
    ]
    for network in wrong:
        monkeypatch.setattr("disparsity.checkpoint.packed.read_packed", lambda _path, network=network: network)
        with pytest.raises(CorruptArtefactError, match=r"wrong\.h5: the packed network does not fit together"):
            read_network(Path("wrong.h5"))


def test_every_state_but_masks_and_weight_steps_is_kept(checkpoint: Path) -> None:
    network = open_network(str(checkpoint), None)
    packed = pack_network(network)
    weights = {f"{layer.name}.weight" for layer in packed.layers}
    assert weights | set(packed.tensors) == set(network.state_dict())
    norms = [name for name, module in network.named_modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    assert all(f"{name}.running_mean" in packed.tensors for name in norms)


def test_a_file_that_does_not_give_the_network_back_is_not_written(checkpoint: Path, tmp_path: Path) -> None:
    network, path = open_network(str(checkpoint), None), tmp_path / "packed.h5"
    content = pack(pack_network(network))
    with torch.no_grad():
        next(iter(quantizable_layers(network).values())).weight[0, 0, 0, 0] += 1
    with pytest.raises(InputError, match=r"packed\.h5: the packed network is not the network; found other weights at "):
        write_checked(path, network, content)
    network.register_parameter("more", nn.Parameter(torch.zeros(1)))
    with pytest.raises(CorruptArtefactError, match=r"does not fit together; found missing \[\], unexpected \['more'\]"):
        write_network(path, network)
    assert not path.exists()
