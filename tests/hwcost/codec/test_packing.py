from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from disparsity.base.errors import CorruptArtefactError
from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer, PackedNetwork
from disparsity.hwcost.codec.packing import pack, pack_and_measure, unpack
from disparsity.quant.grids.levels import Levels

pytestmark = pytest.mark.usefixtures("compiled")


@st.composite
def packed_layers(draw: st.DrawFn) -> PackedLayer:
    shape = draw(st.lists(st.integers(1, 4), min_size=2, max_size=5).map(tuple))
    axis = draw(st.integers(0, 1))
    codes = draw(hnp.arrays(np.int64, shape, elements=st.one_of(st.just(0), st.integers(-127, 127))))
    steps = draw(hnp.arrays(np.float16, shape[axis], elements=st.floats(2**-14, 100, width=16)))
    return PackedLayer(name=draw(st.text(max_size=5)), codes=codes, steps=steps, bits=8, output_axis=axis)


@st.composite
def packed_layers_off_the_grid(draw: st.DrawFn) -> PackedLayer:
    shape = draw(st.lists(st.integers(1, 5), min_size=2, max_size=4).map(tuple))
    axis, group = draw(st.integers(0, 1)), draw(st.integers(1, 6))
    levels = Levels(*draw(st.sampled_from([(1, 1), (2, 1), (4, 3), (5, 2), (8, 2), (5, 4)])))
    sizes = st.sampled_from(list(levels.sizes))
    codes = draw(hnp.arrays(np.int64, shape, elements=sizes)) * draw(
        hnp.arrays(np.int64, shape, elements=st.sampled_from([-1, 1]))
    )
    steps = draw(hnp.arrays(np.float16, -(-shape[axis] // group), elements=st.floats(2**-14, 100, width=16)))
    return PackedLayer(
        name="off",
        codes=codes,
        steps=np.repeat(steps, group)[: shape[axis]],
        bits=levels.bits,
        output_axis=axis,
        term_bits=levels.term_bits,
        group=group,
    )


float_layers = st.builds(
    FloatLayer,
    name=st.text(max_size=5),
    values=hnp.arrays(np.float32, st.tuples(st.integers(1, 3), st.integers(1, 9)), elements=st.floats(width=32)),
    output_axis=st.integers(0, 1),
)
arrays = st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.uint8, np.bool_]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
networks = st.builds(
    PackedNetwork,
    layers=st.lists(st.one_of(packed_layers(), packed_layers_off_the_grid(), float_layers), max_size=3).map(tuple),
    tensors=st.dictionaries(st.text(max_size=4), arrays, max_size=3),
    header=st.dictionaries(
        st.text(max_size=4), st.one_of(st.integers(), st.text(), st.none(), st.booleans()), max_size=3
    ),
)


@settings(max_examples=60, deadline=None)
@given(networks)
def test_every_packed_network_comes_back(same, network: PackedNetwork) -> None:
    assert same(network, unpack(pack(network)))


def test_the_step_of_an_empty_filter_is_one(example) -> None:
    layer = unpack(pack(example())).layers[0]
    assert isinstance(layer, PackedLayer)
    assert layer.steps[3] == 1
    assert np.array_equal(np.delete(layer.steps, 3), np.delete(example().layers[0].steps, 3))


@pytest.mark.parametrize("at", [0, 3, 4, 5, 40, -1])
def test_a_flipped_bit_is_noticed(example, at: int) -> None:
    content = bytearray(pack(example()))
    content[at] ^= 1
    with pytest.raises(CorruptArtefactError):
        unpack(bytes(content))


def test_packing_changes_nothing_it_is_given(example, same) -> None:
    network = example()
    pack(network)
    assert same(network, example())


def test_large_float_layers_pass_beside_the_stream_and_cost_next_to_nothing_more(same) -> None:
    values = np.random.default_rng(0).normal(size=(70, 40, 5, 5)).astype(np.float32)
    network = PackedNetwork(layers=(FloatLayer(name="a", values=values),))
    content = pack(network)
    assert values.nbytes < len(content) < values.nbytes + 80
    assert same(network, unpack(content))
    with pytest.raises(CorruptArtefactError):
        unpack(content[:-1])


def test_the_bytes_of_all_layers_are_those_of_the_weights(example) -> None:
    packing = pack_and_measure(example())
    measured = packing.weight_bytes
    assert packing.content == pack(example())
    assert set(measured.by_layer) == {"tower.0", "head"}
    # all the rest is the text, two tensors, checksum, version and length
    bare = len(pack(PackedNetwork(layers=example().layers)))
    without = len(pack(PackedNetwork(layers=(), tensors=example().tensors, header=example().header)))
    assert bare + without - len(packing.content) < measured.total < bare
    # 92 of 288 values are not zero; their mantissas cannot be compressed
    held = int(np.count_nonzero(example().layers[1].values))
    assert 3 * held < measured.by_layer["head"] < 4.3 * held + 288 / 8


def test_the_format_stays_what_it_was(example) -> None:
    content = pack(example())
    digest = "9761d9e32c6f9b068cae69276178a760997909ad398e2629379a6688fb4394ad"
    assert (len(content), hashlib.sha256(content).hexdigest()) == (837, digest), "raise VERSION when the format changes"
