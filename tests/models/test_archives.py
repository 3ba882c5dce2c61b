"""Archives of arrays that anybody may have made."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import pytest

from crowdloom.models.archives import read_npz
from crowdloom.models.errors import ModelError


class Opened:
    """Whoever unpickles it notices."""

    def __reduce__(self) -> tuple[object, ...]:
        return pytest.fail, ("it was unpickled",)


@pytest.mark.parametrize("content", [pickle.dumps(Opened()), b"no array", b""])
def test_what_is_no_array_is_refused(tmp_path: Path, content: bytes) -> None:
    """A member that NumPy would hand on as bytes, or as a Python object, is neither; the file is named."""
    path = tmp_path / "hostile.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", content)
    with pytest.raises(ModelError, match=r"hostile.npz cannot be read as .npz, an archive of arrays"):
        read_npz(path, ["images"])
