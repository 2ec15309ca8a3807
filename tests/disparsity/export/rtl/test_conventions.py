from __future__ import annotations

from disparsity.export.rtl.conventions import CONVENTIONS, readme


def test_a_manifest_as_text() -> None:
    layer = {
        "name": "up", "kind": "transposed_convolution",
        "stride": [2], "padding": [[1, 1]], "dilation": [1], "groups": 1,
        "weights": {"shape": [2, 3, 4], "bits": 5, "file": "layers/000_up/weights.hex"},
        "input": {"fraction_bits": 20, "multiplier": 7, "shift": 9, "low": -3, "high": 4, "code_bits": 3},
        "accumulator": {"bits": 32, "worst_case_bits": 20, "seen_bits": 17},
        "output": {"bits": 32, "fraction_bits": 25}, "calls": [{}, {}],
    }  # fmt: skip
    manifest = {
        "network": "tiny", "input_size": [20, 30], "example": None, "pair": {"data": "synthetic:", "id": "a"},
        "conventions": CONVENTIONS, "layers": [layer],
        "host_operations": [{"module": "", "operator": "add", "calls": 2}],
    }  # fmt: skip
    text = readme(manifest)
    assert text.startswith("tiny: integer layers for 20x30 images\n")
    assert "There is no convolution to show in Verilog" in text
    assert "up: transposed_convolution, weights 2x3x4 of 5 bits, stride [2], padding [[1, 1]]" in text
    assert "20 fraction bits, multiplier 7, shift 9, codes -3..4 in 3 bits" in text
    assert "32 bits; worst case 20, seen 17" in text
    assert "(network): add, 2x" in text
    assert text.index("rounding:") < text.index("LAYERS")
