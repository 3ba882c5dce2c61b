"""Mixing images pixel by pixel."""

from __future__ import annotations

import math
from typing import Any

_BLOCK = 64 * 1024  # pixel values at a time: they and their sums stay in the processor's cache


def mix_images(first: Any, second: Any, thousandths: Any) -> Any:
    """x = lambda x1 + (1 - lambda) x2 for N pairs of images, as Zhang et al. (2018, equation 1) mix inputs.

    `first` and `second` are uint8 [N, …], `thousandths` is lambda in whole thousandths, int [N], from 0 to 1000;
    the result is uint8 [N, …]. It is rounded half up in whole numbers, so it is the same on every machine.

    >>> import numpy as np
    >>> one, other = np.uint8([[255, 0, 7], [255, 0, 7]]), np.uint8([[0, 255, 8], [0, 255, 8]])
    >>> mix_images(one, other, np.array([500, 100])).tolist()
    [[128, 128, 8], [26, 230, 8]]
    """
    import numpy as np

    mixed = np.empty_like(first)
    step = max(1, _BLOCK // max(1, math.prod(first.shape[1:])))
    for share in np.unique(thousandths).tolist():
        common = math.gcd(share, 1000)
        parts, whole = share // common, 1000 // common
        sums = np.uint16 if 256 * whole <= 2**16 else np.uint32  # what holds 255 * whole + whole // 2
        rows = np.flatnonzero(thousandths == share)
        for start in range(0, len(rows), step):
            block = rows[start : start + step]
            total = first[block].astype(sums)
            other = second[block].astype(sums)
            total *= sums(parts)
            other *= sums(whole - parts)
            total += other
            total += sums(whole // 2)
            total //= sums(whole)
            mixed[block] = total
    return mixed
