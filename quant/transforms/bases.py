"""Transform bases for a weight whose rows are mixed before they are quantized.

A weight is seen as a matrix ``M [n, N]`` whose n rows are mixed (input channels of the row transform, output channels
of the column transform). With a basis ``U [n, n]``, ``T = U^T M`` is quantized and ``M = S T`` with ``S = U^-T``.

Source: Young, Zhe, Taubman and Girod, Transform Quantization for CNN Compression, TPAMI 2021. The construction of the
ELT from one Cholesky factor and one symmetric eigenproblem is an Interpretation; it meets both of their conditions,
``U^T C U = diagonal`` and ``U^T G^-1 U = I``, and so the bound on the distortion.
"""

from __future__ import annotations

import torch
from torch import Tensor


def klt(covariance: Tensor) -> Tensor:
    """The eigenvectors of ``C = M M^T / N`` as columns, the largest eigenvalue first: U is orthogonal."""
    return torch.linalg.eigh(covariance).eigenvectors.flip(1)


def elt(covariance: Tensor, gradients: Tensor, ridge: float = 1e-6) -> Tensor:
    """The basis in which the rows are uncorrelated and their errors, as the network's output sees them, are too.

    Args:
        covariance: ``C = M M^T / N`` ``[n, n]`` float64.
        gradients: ``G`` ``[n, n]`` float64: the sum over the columns j of ``E[(dy/dM_j)(dy/dM_j)^T]``.
        ridge: what is added to its diagonal, relative to the mean of that, so that rows that do not reach the output
            have a place in the basis too.

    """
    lower = torch.linalg.cholesky(_damped(gradients, ridge))
    turned = lower.T @ covariance @ lower
    return lower @ torch.linalg.eigh(turned).eigenvectors.flip(1)


def distortion(basis: Tensor, covariance: Tensor, gradients: Tensor) -> float:
    """The geometric mean over the rows of ``(U^-1 G U^-T)_kk (U^T C U)_kk``.

    It is the distortion at high rate, up to a factor that no basis changes. Its least value over all bases is
    ``(det C det G)^(1/n)``.
    """
    inverse = torch.linalg.inv(basis)
    sensitivities = (inverse @ gradients @ inverse.T).diagonal()
    powers = (basis.T @ covariance @ basis).diagonal()
    return float((sensitivities * powers).log().mean().exp())


def _damped(gradients: Tensor, ridge: float) -> Tensor:
    count = len(gradients)
    strength = ridge * float(gradients.diagonal().mean()) + torch.finfo(torch.float32).tiny
    return gradients + strength * torch.eye(count, dtype=gradients.dtype, device=gradients.device)
