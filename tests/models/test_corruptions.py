"""Common corruptions: against the steps they are made of, computed another way, and on real images."""

from __future__ import annotations

import math
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image as Pillow
from scipy import ndimage
from skimage.color import hsv2rgb, rgb2hsv
from skimage.filters import gaussian
from torch import Tensor

from crowdloom.models.corruption_blur import moved, zoomed
from crowdloom.models.corruption_files import read_corrupted
from crowdloom.models.corruption_weather import plasma
from crowdloom.models.corruptions import CORRUPTIONS, corrupt, corrupted
from crowdloom.models.errors import ModelError

CHANCE = {"gaussian_noise", "shot_noise", "impulse_noise", "glass_blur", "motion_blur", "snow", "fog"}
CHANCE |= {"elastic_transform"}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture
def images(test_data: Path) -> Tensor:
    """Real ones, uint8 [24, 3, 32, 32]."""
    stored = np.load(test_data / "cifar10-test-subset.npz")["images"][:24]
    return torch.from_numpy(stored).permute(0, 3, 1, 2).contiguous()


def pictures(images: Tensor) -> list[npt.NDArray[np.uint8]]:
    """As [H, W, C]."""
    return [np.ascontiguousarray(one) for one in images.permute(0, 2, 3, 1).numpy()]


def level(values: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """0..1 as 8-bit levels, cut off."""
    return np.floor(np.clip(values, 0, 1) * 255 + 1e-3).astype(np.int64)


def assert_same(ours: Tensor, expected: list[npt.NDArray[np.int64]]) -> None:
    """Equal but for values that float32 puts just below a level."""
    off = np.abs(np.stack(pictures(ours)).astype(np.int64) - np.stack(expected))
    assert off.max() <= 1
    assert (off > 0).mean() < 0.002


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_corruption_keeps_its_promises(images: Tensor, name: str) -> None:
    """Same shape and type, visibly changed but not beyond recognition; alone or together the same; seeded."""
    before = images.clone()
    changed = corrupt(images, name, rng())
    assert torch.equal(images, before)
    assert changed.shape == images.shape
    assert changed.dtype == torch.uint8
    moved_by = (changed.float() - images.float()).abs().mean()
    assert 2 < moved_by < 60
    one_by_one = rng()
    alone = [corrupt(images[n : n + 1], name, one_by_one) for n in range(len(images))]
    assert torch.equal(torch.cat(alone), changed)
    assert torch.equal(corrupt(images, name, rng(1)), changed) == (name not in CHANCE)
    grey = corrupt(images[:, :1], name, rng())
    assert grey.shape == (24, 1, 32, 32)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_other_sizes_are_taken(name: str) -> None:
    """Digits of 8 pixels, photographs of no square size."""
    for shape in ((3, 1, 8, 8), (2, 3, 40, 56)):
        drawn = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
        assert corrupt(drawn, name, rng()).shape == shape


def test_noise_has_its_strength() -> None:
    """On a grey image: standard deviations of 0.08 and of sqrt(100 x)/100, and 3 % of salt and pepper."""
    grey = torch.full((40, 3, 32, 32), 102, dtype=torch.uint8)  # 0.4
    normal = corrupt(grey, "gaussian_noise", rng()).float() / 255
    assert float(normal.std()) == pytest.approx(0.08, rel=0.02)
    assert float(normal.mean()) == pytest.approx(0.4 - 0.5 / 255, abs=0.001)  # half a level is cut off
    shot = corrupt(grey, "shot_noise", rng()).float() / 255
    assert float(shot.std()) == pytest.approx(math.sqrt(40) / 100, rel=0.02)
    impulses = corrupt(grey, "impulse_noise", rng())
    assert float((impulses == 255).float().mean()) == pytest.approx(0.015, rel=0.1)
    assert float((impulses == 0).float().mean()) == pytest.approx(0.015, rel=0.1)
    assert set(impulses.unique().tolist()) == {0, 102, 255}


def test_what_needs_no_chance_is_what_others_compute(images: Tensor) -> None:
    """Brightness and contrast by scikit-image and numpy, JPEG and pixels by Pillow, defocus by its kernel."""
    given = pictures(images)
    brighter = []
    for one in given:
        hsv = rgb2hsv(one / 255)
        hsv[..., 2] = np.clip(hsv[..., 2] + 0.15, 0, 1)
        brighter.append(level(hsv2rgb(hsv)))
    assert_same(corrupt(images, "brightness", rng()), brighter)
    means = [one.mean((0, 1)) / 255 for one in given]
    flat = [level((one / 255 - mean) * 0.4 + mean) for one, mean in zip(given, means, strict=True)]
    assert_same(corrupt(images, "contrast", rng()), flat)
    side = [math.exp(-(n**2) / (2 * 0.6**2)) for n in (-1, 0, 1)]
    kernel = np.outer(side, side) / sum(side) ** 2
    blurred = [level(ndimage.correlate(one / 255, kernel[..., None], mode="mirror")) for one in given]
    assert_same(corrupt(images, "defocus_blur", rng()), blurred)
    packed = []
    for one in given:
        file = BytesIO()
        Pillow.fromarray(one).save(file, "JPEG", quality=58)
        packed.append(np.asarray(Pillow.open(file)).astype(np.int64))
    assert_same(corrupt(images, "jpeg_compression", rng()), packed)
    small = [Pillow.fromarray(one).resize((27, 27), Pillow.Resampling.BOX) for one in given]
    large = [np.asarray(one.resize((32, 32), Pillow.Resampling.BOX)).astype(np.int64) for one in small]
    assert_same(corrupt(images, "pixelate", rng()), large)


def test_black_becomes_brighter_too() -> None:
    """A pixel without a hue becomes grey."""
    black = torch.zeros(1, 3, 1, 1, dtype=torch.uint8)
    assert corrupt(black, "brightness", rng()).flatten().tolist() == [38, 38, 38]


def test_zoom_blur_is_that_of_scipy(images: Tensor) -> None:
    """Its zoom, its order of interpolation, the same cuts."""

    def enlarged(one: npt.NDArray[np.float64], factor: float) -> npt.NDArray[np.float64]:
        inner = math.ceil(32 / factor)
        start = (32 - inner) // 2
        middle = one[start : start + inner, start : start + inner]
        large = ndimage.zoom(middle, (factor, factor, 1), order=1)
        start = (len(large) - 32) // 2
        return large[start : start + 32, start : start + 32]

    factors = np.arange(1, 1.16, 0.01)
    expected = []
    for one in pictures(images):
        layers = [one / 255, *(enlarged(one / 255, factor) for factor in factors)]
        expected.append(level(np.mean(layers, axis=0)))
    assert_same(corrupt(images, "zoom_blur", rng()), expected)
    whole = images[:1].float()
    torch.testing.assert_close(zoomed(whole, 1.0), whole)


def test_motion_blur_pixel_by_pixel(images: Tensor) -> None:
    """A weighted mean along the line from each pixel, the last pixel going on beyond the edge."""
    given, degrees = images[:2].float() / 255, (30.0, -110.0)
    found = moved(given, torch.tensor(degrees).deg2rad(), radius=3, sigma=1.5)
    weights = [math.exp(-(n**2) / (2 * 1.5**2)) for n in range(7)]
    for n, angle in enumerate(degrees):
        for y in range(32):
            for x in range(32):
                total = torch.zeros(3)
                for tap, weight in enumerate(weights):
                    right = math.ceil(tap * math.cos(math.radians(angle)) - 0.5)
                    down = math.ceil(tap * math.sin(math.radians(angle)) - 0.5)
                    total += weight * given[n, :, min(max(y + down, 0), 31), min(max(x + right, 0), 31)]
                torch.testing.assert_close(found[n, :, y, x], (total / sum(weights) * 255).round() / 255)


def test_motion_blur_keeps_to_horizontal() -> None:
    """A vertical edge is blurred at least as much as a horizontal one in every image, and much more on average."""
    edge = torch.zeros(30, 1, 32, 32, dtype=torch.uint8)
    edge[..., 16:] = 255
    between = [
        ((part > 10) & (part < 245)).sum((1, 2, 3))
        for part in (corrupt(edge, "motion_blur", rng()), corrupt(edge.transpose(2, 3), "motion_blur", rng()))
    ]
    assert bool((between[0] >= between[1]).all())
    assert int(between[0].sum()) > 1.5 * int(between[1].sum())


def test_glass_moves_pixels_one_step(images: Tensor) -> None:
    """Pixel by pixel, in the order of the paper's code and with its one-way exchange of views."""
    drawn = rng().integers(-1, 1, (len(images), 32, 32, 2))
    expected = []
    for one, offsets in zip(pictures(images), drawn, strict=True):
        x = (gaussian(one / 255, sigma=0.4, channel_axis=2) * 255).astype(np.uint8)
        for h in range(31, 1, -1):
            for w in range(31, 1, -1):
                down, right = offsets[h, w]
                x[h, w], x[h + down, w + right] = x[h + down, w + right], x[h, w]
        expected.append(level(gaussian(x / 255, sigma=0.4, channel_axis=2)))
    off = np.abs(np.stack(pictures(corrupt(images, "glass_blur", rng()))).astype(np.int64) - np.stack(expected))
    assert off.max() <= 2  # a value just below a level is cut off twice
    assert (off > 0).mean() < 0.01


def test_elastic_transform_is_two_steps_of_scipy(images: Tensor) -> None:
    """An affine map of three points, mirrored at pixels' centres; displacements, mirrored at their edges."""
    drawn = rng().uniform(-1, 1, (len(images), 6 + 2 * 32 * 32))
    expected = []
    for one, values in zip(pictures(images), drawn, strict=True):
        before = np.array([[26, 26], [26, 6], [6, 6]], dtype=float)
        after = before + values[:6].reshape(3, 2) * 32 * 0.06
        undo = np.linalg.solve(np.c_[after, np.ones(3)], before)  # x, y, 1 -> x, y
        matrix = np.array([[undo[1, 1], undo[0, 1]], [undo[1, 0], undo[0, 0]]])  # rows, columns
        offset = [undo[2, 1], undo[2, 0]]
        turned = [ndimage.affine_transform(one[..., c] / 255, matrix, offset, order=1, mode="mirror") for c in range(3)]
        shifts = values[6:].reshape(2, 32, 32)
        right, down = (gaussian(shift, 32 * 0.06, mode="reflect", truncate=3) * 32 * 0.08 for shift in shifts)
        rows, columns = np.meshgrid(np.arange(32), np.arange(32), indexing="ij")
        places = [rows + down, columns + right]
        expected.append(
            level(np.stack([ndimage.map_coordinates(c, places, order=1, mode="reflect") for c in turned], -1))
        )
    assert_same(corrupt(images, "elastic_transform", rng()), expected)


def test_plasma_is_cloudy_and_joins_its_sides() -> None:
    """From 0 to 1, neighbours alike, also across the sides; the recursion by hand for 2 x 2."""
    clouds = plasma(50, 32, 2.5, rng())
    assert clouds.amin((1, 2)).tolist() == [0] * 50
    assert clouds.amax((1, 2)).tolist() == [1] * 50
    near = [(clouds - clouds.roll(1, axis)).abs() for axis in (1, 2)]
    far = float((clouds - clouds.roll((16, 16), (1, 2))).abs().mean())
    assert all(float(step.mean()) < far / 4 for step in near)
    assert float(near[0][:, 0].mean()) < far / 4  # from the last row to the first

    noise = rng().uniform(-1, 1, (1, 2, 2))[0] * 100**2
    middle = noise[1, 1]
    heights = np.array([[0, middle / 2 + noise[0, 1]], [middle / 2 + noise[1, 0], middle]])
    heights = (heights - heights.min()) / np.ptp(heights)
    assert plasma(1, 2, 2.5, rng())[0].numpy() == pytest.approx(heights, abs=1e-6)


def test_fog_and_snow_on_plain_images() -> None:
    """Fog greys black as far as the image has light; snow falls on black as streaks, and again turned round."""
    black = torch.zeros(20, 3, 32, 32, dtype=torch.uint8)
    assert int(corrupt(black, "fog", rng()).max()) == 0
    half = black.clone()
    half[..., 16:] = 255
    fogged = corrupt(half, "fog", rng()).float()
    assert 0.2 * 255 < float(fogged[..., :16].mean()) < 0.4 * 255
    snowed = corrupt(black, "snow", rng()).float()
    assert float(snowed.median()) == 12  # a tenth of the whitening, cut off
    assert 0.02 < float((snowed > 60).float().mean()) < 0.2
    assert torch.equal(snowed, snowed.rot90(2, (2, 3)))
    falls = (snowed[:, 0].diff(dim=1).abs().mean(), snowed[:, 0].diff(dim=2).abs().mean())
    assert falls[0] < falls[1]  # streaks go down rather than across


def test_all_corruptions_come_in_their_order(images: Tensor) -> None:
    """With their names, and the same for the same seed."""
    once, again = dict(corrupted(images[:4], 7)), dict(corrupted(images[:4], 7))
    assert list(once) == list(CORRUPTIONS)
    assert all(torch.equal(once[name], again[name]) for name in CORRUPTIONS)
    assert not torch.equal(once["fog"], dict(corrupted(images[:4], 8))["fog"])


def test_what_cannot_be_corrupted_is_refused() -> None:
    """A name that is none, images of another kind."""
    with pytest.raises(ModelError, match="'frost' is no corruption; choose one of gaussian_noise, shot_noise"):
        corrupt(torch.zeros(1, 3, 32, 32, dtype=torch.uint8), "frost", rng())
    for wrong in (torch.zeros(1, 3, 32, 32), torch.zeros(1, 4, 32, 32, dtype=torch.uint8)):
        with pytest.raises(ModelError, match="need uint8 images"):
            corrupt(wrong, "fog", rng())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """CIFAR-10-C with few images that are not black: sparse files, which take no room."""
    for number, name in enumerate(CORRUPTIONS):
        stored = np.lib.format.open_memmap(tmp_path / f"{name}.npy", "w+", np.uint8, (50_000, 32, 32, 3))
        stored[20_003] = number + 1  # the third severity
        stored[40_003, 5, 6] = (1, 2, 3)
    return tmp_path


def test_cifar10c_is_read(folder: Path) -> None:
    """By position in the test set and severity, channels first; frost where it is there."""
    read = read_corrupted(folder, [9_999, 3])
    assert list(read) == list(CORRUPTIONS)
    for number, images in enumerate(read.values()):
        assert images.shape == (2, 3, 32, 32)
        assert images.dtype == torch.uint8
        assert images.amax((1, 2, 3)).tolist() == [0, number + 1]
    assert read_corrupted(folder, [3], 5)["fog"][0, :, 5, 6].tolist() == [1, 2, 3]
    (folder / "frost.npy").symlink_to(folder / "fog.npy")
    assert list(read_corrupted(folder, [0])) == [*CORRUPTIONS, "frost"]


def test_what_is_not_cifar10c_is_said(folder: Path) -> None:
    """A severity or position that is none, a file that is missing, another array, no array."""
    with pytest.raises(ModelError, match="severities from 1 to 5, not 6"):
        read_corrupted(folder, [0], 6)
    with pytest.raises(ModelError, match="from 0 to 9999"):
        read_corrupted(folder, [10_000])
    (folder / "snow.npy").unlink()
    with pytest.raises(ModelError, match=r"has no snow\.npy; give the unpacked folder"):
        read_corrupted(folder, [0])
    np.save(folder / "snow.npy", np.zeros((10, 32, 32, 3), np.uint8))
    with pytest.raises(ModelError, match=r"snow\.npy holds uint8 \[10, 32, 32, 3\], not uint8 \[50000"):
        read_corrupted(folder, [0])
    (folder / "snow.npy").write_bytes(b"no array")
    with pytest.raises(ModelError, match=r"snow\.npy cannot be read"):
        read_corrupted(folder, [0])
