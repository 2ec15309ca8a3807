"""Hourglasses: shapes at every level, which skips are added, and links between neighbours."""

from __future__ import annotations

import torch

from disparsity.stereo.blocks.hourglass import LinkedHourglass, RedirectedHourglass


def test_linked_shapes_and_skips() -> None:
    torch.manual_seed(0)
    block = LinkedHourglass(3).eval()
    volume = torch.randn(2, 3, 4, 8, 12)
    with torch.no_grad():
        out, down, up = block(volume, None, None)
        assert out.shape == volume.shape
        assert down.shape == up.shape == (2, 6, 2, 4, 6)
        block.conv5[1].weight.zero_()
        silent, _, up = block(volume, None, None)
        assert torch.equal(up, down)  # the way up is then its skip alone
        _, _, up = block(volume, -torch.ones_like(down), None)
        assert torch.equal(up, torch.zeros_like(up))  # another skip was given, and ReLU comes after the addition
        _, shifted, _ = block(volume, None, torch.full_like(down, 100.0))
        assert float(shifted.min()) > 50
    assert silent.shape == volume.shape


def test_redirected_shapes_and_skips() -> None:
    torch.manual_seed(0)
    block = RedirectedHourglass(3).eval()
    volume = torch.randn(1, 3, 4, 8, 12)
    with torch.no_grad():
        assert block(volume).shape == volume.shape
        assert block.conv3[0][0].out_channels == 12
        block.conv6[1].weight.zero_()
        block.redir1[0].weight.copy_(torch.eye(3).view(3, 3, 1, 1, 1))
        scale = 1 / (1 + block.redir1[1].eps) ** 0.5
        torch.testing.assert_close(block(volume), torch.relu(volume) * scale)
