"""Opened network, and `disparsity.load` and `disparsity.predict`."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from disparsity.base.errors import InputError
from disparsity.checkpoint.packed import pack_network
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.decoders.calibration import read_calib_txt
from disparsity.evaluation.prediction import View, predict_pair, views_of, write_disparity
from disparsity.evaluation.runtimes import Executable, in_torch, open_in_runtime
from disparsity.hwcost.codec.packing import pack
from disparsity.quant.attach import layer_bits
from disparsity.report.build import kept_weights
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.users import adopted_network


class Network:
    """A network that `load` has opened; every function of the package takes it where it takes a checkpoint.

    Attributes:
        name: of the preset, or ``module:callable``.
        stage: `dense`, `pruned` or `quantized`.
        max_disparity: largest disparity that the network can estimate, in pixels.

    """

    def __init__(self, executable: Executable) -> None:
        self.executable = executable
        self.name, self.stage, self.max_disparity = executable.name, executable.stage, executable.max_disparity

    def __repr__(self) -> str:
        return f"<{self.stage} network {self.name}>"

    def predict(self, left: View, right: View) -> NDArray[np.float32]:
        """The disparity of two views, in pixels of the left one.

        Args:
            left: ``[H, W, 3]`` RGB as an array, ``[3, H, W]`` as a tensor (uint8, or float in 0..1), or a file.
            right: likewise, of the same size.

        Returns:
            ``[H, W]`` float32, never negative.

        Raises:
            DataError: a view cannot be read, or the two differ in size.

        """
        return predict_pair(self.executable, *views_of(left, right))

    @property
    def module(self) -> StereoNetwork:
        """The torch module, with its masks and quantizers.

        Raises:
            InputError: the network is an exported file, which another runtime executes.

        """
        if self.executable.module is None:
            raise InputError("an exported file holds no torch module", where=self.name, remedy="load its checkpoint")
        return self.executable.module

    @cached_property
    def masks(self) -> dict[str, NDArray[np.bool_]]:
        """Where the weights of every layer are not zero, ``[Co, Ci, k, ...]`` by the layer's name."""
        return kept_weights(self.module)

    @cached_property
    def weight_bits(self) -> dict[str, int]:
        """The bits of the weights of every quantized layer, by its name."""
        return {name: bits.weights for name, bits in layer_bits(self.module).items()}

    @cached_property
    def packed_bytes(self) -> int:
        """The bytes of the network in a packed file, without the few hundred of the HDF5 container."""
        return len(pack(pack_network(self.module)))


def load(
    checkpoint: str | Path | nn.Module | Network | None = None,
    network: str | None = None,
    *,
    runtime: str = "torch",
    device: str = "auto",
) -> Network:
    """Open a network once, to use it many times.

    Args:
        checkpoint: `builtin:NAME`, a checkpoint or a stage's folder, a packed file (`compressed.h5`), a published file,
            what `export` wrote for another runtime, or a torch module with a `NetworkSpec` as its attribute `spec`.
            None builds the named network with fresh weights from seed 0.
        network: name of a preset or ``module:callable``; needed for published files, fresh networks and networks of
            your own.
        runtime: what executes the network; see `disparsity list runtimes`.
        device: `cpu`, `cuda`, `cuda:N`, or `auto`: a GPU where there is one.

    Returns:
        the opened network.

    Raises:
        InputError: there is no such checkpoint, or it belongs to another network or runtime.
        CorruptArtefactError: the checkpoint is damaged.

    Example:
        >>> network = disparsity.load("builtin:reference")
        >>> network.stage, network.max_disparity
        ('dense', 48)
        >>> network.predict("left.png", "right.png").shape
        (96, 192)

    """
    if isinstance(checkpoint, Network):
        return checkpoint
    if isinstance(checkpoint, nn.Module):
        return Network(in_torch(adopted_network(checkpoint), device))
    if checkpoint is not None:
        return Network(open_in_runtime(str(checkpoint), network, runtime, device))
    if network is None:
        raise InputError("nothing to load", expected="a checkpoint, or the name of a network")
    return Network(in_torch(open_network("", network).eval(), device))


def predict(
    left: View,
    right: View,
    checkpoint: str | Path | nn.Module | Network = "builtin:reference",
    network: str | None = None,
    *,
    out: str | Path | None = None,
    calib: str | Path | None = None,
    runtime: str = "torch",
    device: str = "auto",
) -> NDArray[np.float32]:
    """The disparity of one pair of images; for several pairs, `load` a network once and ask it.

    Args:
        left: ``[H, W, 3]`` RGB as an array, ``[3, H, W]`` as a tensor (uint8, or float in 0..1), or a file.
        right: likewise, of the same size.
        checkpoint: as in `load`, or what it returned.
        network: as in `load`.
        out: a folder for disparity.pfm, disparity.png (16 bit, x256) and disparity_color.png.
        calib: calibration of Middlebury or KITTI, with which `out` gets points.ply too.
        runtime: as in `load`.
        device: as in `load`.

    Returns:
        ``[H, W]`` float32 in pixels of the left view, never negative.

    Raises:
        DataError: a view cannot be read, or the two differ in size.
        InputError: the checkpoint cannot be used.

    Example:
        >>> disparity = disparsity.predict("left.png", "right.png", "builtin:reference", out="disparity")
        >>> disparity.shape, disparity.dtype
        ((96, 192), dtype('float32'))

    """
    calibration = read_calib_txt(Path(calib)) if calib is not None else None
    views = views_of(left, right)
    disparity = predict_pair(load(checkpoint, network, runtime=runtime, device=device).executable, *views)
    if out is not None:
        write_disparity(Path(out), disparity, views[0], calibration)
    return disparity
