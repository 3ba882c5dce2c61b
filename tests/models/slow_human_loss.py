"""The human loss by its formula, term by term: slow, and written without a look at the fast one."""

from __future__ import annotations

import torch
from torch import Tensor


def slow_human_loss(points: Tensor, labels: Tensor, target_centres: Tensor, target_spreads: Tensor) -> Tensor:
    """A term for each class and one for each ordered pair, each a small graph of its own."""
    members = {c: points[labels == c] for c in range(len(target_spreads)) if bool((labels == c).any())}
    means = {c: own.mean(0) for c, own in members.items()}
    terms = []
    for c, own in members.items():
        spread = torch.linalg.vector_norm(own - means[c], dim=1).mean()
        terms.append((means[c] - target_centres[c]).square().mean())
        terms.append((spread - target_spreads[c]).abs())
        for d in members:
            if d != c:
                apart = torch.linalg.vector_norm(means[c] - means[d])
                terms.append(torch.relu(target_spreads[c] + target_spreads[d] - apart))
    return torch.stack(terms).sum() / len(terms) if terms else 0 * points.sum()
