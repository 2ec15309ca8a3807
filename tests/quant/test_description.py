from __future__ import annotations

import copy
import json

import pytest
import torch

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.base.settings_errors import fields_of
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers, layer_bits
from disparsity.quant.bits import LayerBits
from disparsity.quant.description import attach_from_description, describe_quantizers
from disparsity.quant.quantizers.registry import QUANTIZERS
from disparsity.quant.quantizers.settings import PerGroupSettings

ENTRY = {"quantizer": "lsq", "weight_bits": 4, "activation_bits": 8, "activation_low": None}


def test_round_trip_through_json_and_state_dict_is_bit_identical(toy, pair, masked) -> None:
    fresh = copy.deepcopy(toy)
    masked(toy, seed=1)
    bits = {
        "features.0": LayerBits(weights=8, activations=8),
        "up": LayerBits(weights=2, activations=4),
        "score": LayerBits(weights=32, activations=16),
    }
    attach_quantizers(toy, bits)
    calibrate(toy, [pair])
    description = json.loads(json.dumps(describe_quantizers(toy)))
    assert -128 <= description["features.0"]["activation_low"] < 0
    assert description["score"] == {
        "quantizer": "lsq",
        "weight_bits": 32,
        "activation_bits": 16,
        "activation_low": 0,
    }
    masked(fresh, seed=2)
    attach_from_description(fresh, description)
    fresh.load_state_dict(toy.state_dict())
    assert layer_bits(fresh) == bits
    assert torch.equal(fresh(*pair), toy(*pair))
    assert describe_quantizers(fresh) == describe_quantizers(toy)


@pytest.mark.parametrize("name", QUANTIZERS)
def test_every_quantizer_is_built_again_with_its_settings(toy, pair, name) -> None:
    fresh = copy.deepcopy(toy)
    kind = QUANTIZERS[name].settings
    changes = {"granularity": PerGroupSettings(size=4), "threshold": 0.5, "term_bits": 1, "mixing_bits": 5}
    changes |= {"scale": 2.5} if name == "scale_clip" else {}
    settings = kind(**{key: value for key, value in changes.items() if key in fields_of(kind)})
    bits = {layer: LayerBits(weights=kind.widths[-1], activations=4) for layer in ("features.0", "up")}
    attach_quantizers(toy, bits | {"score": LayerBits(weights=12, activations=1)}, quantizer=settings)
    calibrate(toy, [pair])
    description = json.loads(json.dumps(describe_quantizers(toy)))
    assert description["up"]["quantizer"] == name
    wide = 12 in kind.widths
    assert description["score"]["quantizer"] == (name if wide else "lsq")
    attach_from_description(fresh, description)
    fresh.load_state_dict(toy.state_dict())
    assert torch.equal(fresh(*pair), toy(*pair))
    assert describe_quantizers(fresh) == describe_quantizers(toy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight_bits": 99}, "weight bits out of range"),
        ({"activation_low": "yes"}, "not a lowest code"),
        ({"activation_low": 1}, "not a lowest code"),
        ({"activation_low": True}, "not a lowest code"),
        ({"more": 1}, "damaged description"),
        ({"settings": {"more": 1}}, "damaged settings"),
        ({"settings": {"granularity": "per_group", "group_size": 0}}, "damaged settings"),
    ],
)
def test_damaged_descriptions(toy, change, message) -> None:
    with pytest.raises(CorruptArtefactError, match=message):
        attach_from_description(toy, {"up": ENTRY | change})


def test_unknown_layer(toy) -> None:
    with pytest.raises(InputError, match="found nowhere"):
        attach_from_description(toy, {"nowhere": ENTRY})
