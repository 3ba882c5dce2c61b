"""Archives of arrays that may be anybody's: nothing is unpickled."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crowdloom.models.errors import ModelError

_UNREADABLE = (OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error)


def read_npz(path: Path, names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Those of the arrays `names` that an .npz has. Raises ModelError, naming the file, where it cannot be read."""
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            found = {name: file[name] for name in names if name in file.files}
            if strange := [name for name, one in found.items() if not isinstance(one, np.ndarray)]:
                raise ValueError(f"{strange[0]} is no array")  # NumPy hands on the bytes of what it does not know
            return found
    except FileNotFoundError as error:
        raise ModelError(f"{path} cannot be read as .npz: there is no such file") from error
    except _UNREADABLE as error:
        # NumPy would advise to load it unsafely.
        raise ModelError(
            f"{path} cannot be read as .npz, an archive of arrays without Python objects; write it with numpy.savez"
        ) from error
