"""Picture files as images: every format, depth and turn; damaged files become sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from sensiview.datasets.image_kinds import kind_of
from sensiview.datasets.image_pictures import picture_header, picture_pixels
from sensiview.datasets.image_reading import range_of_numbers, to_pixels
from sensiview.datasets.image_understanding import understand_images
from sensiview.datasets.images import ImageSet
from sensiview.errors import DataError
from tests.datasets.image_samples import colours, picture, with_exif


def opened(path: Path, **choices: object) -> ImageSet:
    """Return a file's images as a project would open them."""
    from dataclasses import dataclass

    from sensiview.datasets.card import DatasetCard
    from sensiview.datasets.image_opening import open_images
    from sensiview.files import FileReference, fingerprint

    @dataclass
    class Source:
        card: DatasetCard
        files: list[FileReference]

    found = understand_images([path], name="x", **choices)  # type: ignore[arg-type]
    return open_images(Source(found.card, [fingerprint(file) for file in found.files]))


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "ppm", "webp"])
def test_that_lossless_formats_come_out_as_they_went_in(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    Image.fromarray(colours(1)).save(path, **({"lossless": True} if ending == "webp" else {}))
    images = opened(path)
    assert images.entries[0].size == (6, 8)
    np.testing.assert_allclose(images.image(0), np.moveaxis(colours(1), 2, 0) / np.float32(255), atol=1e-7)


def test_that_jpeg_is_near_what_went_in(tmp_path: Path) -> None:
    smooth = np.linspace(0, 255, 64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95)
    images = opened(tmp_path / "a.jpg")
    assert images.entries[0].channels == 1
    assert np.abs(images.image(0)[0] * 255 - smooth).max() < 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp"])
def test_that_every_turn_of_the_camera_is_taken_back(tmp_path: Path, orientation: int, ending: str) -> None:
    upright = np.zeros((40, 56), dtype=np.uint8)
    upright[:10, :8] = 250  # a mark in the upper left corner
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = Image.fromarray(upright)
    if orientation > 1:
        stored = stored.transpose(back[orientation])
    stored.convert("RGB").save(tmp_path / f"a.{ending}", exif=with_exif(orientation))
    images = opened(tmp_path / f"a.{ending}")
    assert images.entries[0].size == (40, 56)
    seen = images.image(0)[0]
    assert seen.shape == (40, 56)
    assert seen[:8, :6].mean() > 0.9
    assert seen[14:, 12:].max() < 0.1


def test_that_16_bit_grey_keeps_its_numbers(tmp_path: Path) -> None:
    values = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1365
    Image.fromarray(values).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "b.tif", values)
    for name in ("a.png", "b.tif"):
        images = opened(tmp_path / name)
        np.testing.assert_allclose(images.image(0)[0] * 65535, values, atol=0.02)


def test_that_12_bit_images_are_as_bright_as_they_were(tmp_path: Path) -> None:
    values = np.array([[0, 4095], [2048, 100]], dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values)
    images = opened(tmp_path / "a.tif")
    assert images.image(0).max() == 1.0
    assert any("12 bits" in note for note in images.card.notes)


def test_that_16_bits_per_colour_keep_their_numbers(tmp_path: Path) -> None:
    values = (np.arange(4 * 5 * 3).reshape(4, 5, 3) * 1092).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    images = opened(tmp_path / "a.tif")
    np.testing.assert_allclose(images.image(0) * 65535, np.moveaxis(values, 2, 0), atol=0.02)


def test_that_fractions_outside_0_and_1_are_brought_there_with_a_note(tmp_path: Path) -> None:
    values = np.array([[-2.0, 0.0], [2.0, 6.0]], dtype=np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values)
    images = opened(tmp_path / "a.tif")
    np.testing.assert_allclose(images.image(0)[0], (values + 2) / 8)
    assert any("between -2 and 6" in note for note in images.card.notes)


def test_that_pages_of_a_tiff_are_images_of_one_group(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", np.arange(48, dtype=np.uint8).reshape(3, 4, 4), photometric="minisblack")
    images = opened(tmp_path / "stack.tif")
    assert images.names == ("stack.tif[0]", "stack.tif[1]", "stack.tif[2]")
    assert set(images.groups) == {"stack.tif"}
    assert images.image(2)[0, 0, 0] * 255 == pytest.approx(32)
    assert len(opened(tmp_path / "stack.tif", frames=2)) == 2


def test_that_of_a_pyramid_only_the_full_image_is_taken(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "slide.tif") as file:
        for side in (32, 16, 8):
            file.write(np.full((side, side), side, dtype=np.uint8))
    images = opened(tmp_path / "slide.tif")
    assert images.names == ("slide.tif",)
    assert images.entries[0].size == (32, 32)
    assert any("pages of different sizes" in note for note in images.card.notes)


@pytest.mark.parametrize("orientation", [0, 9, 300])
def test_that_a_turn_that_makes_no_sense_is_none(tmp_path: Path, orientation: int) -> None:
    Image.fromarray(colours(1)).save(tmp_path / "a.jpg", exif=with_exif(orientation))
    assert opened(tmp_path / "a.jpg").image(0).shape == (3, 6, 8)


class TestOtherModes:
    def test_that_transparent_pixels_lie_on_black(self, tmp_path: Path) -> None:
        pixels = np.zeros((2, 2, 4), dtype=np.uint8)
        pixels[..., 0] = 255
        pixels[0, :, 3] = 255
        pixels[1, 0, 3] = 128
        Image.fromarray(pixels, "RGBA").save(tmp_path / "a.png")
        images = opened(tmp_path / "a.png")
        assert images.entries[0].channels == 3
        np.testing.assert_allclose(images.image(0)[0], [[1, 1], [128 / 255, 0]], atol=1 / 255)
        assert any("laid on black" in note for note in images.card.notes)

    def test_that_a_palette_with_a_transparent_colour_is_read(self, tmp_path: Path) -> None:
        made = Image.new("P", (2, 1))
        made.putpalette([0, 0, 0, 10, 200, 30])
        made.putdata([0, 1])
        made.save(tmp_path / "a.gif", transparency=0)
        images = opened(tmp_path / "a.gif")
        np.testing.assert_allclose(images.image(0)[:, 0, 1] * 255, [10, 200, 30], atol=1e-3)

    def test_that_cmyk_becomes_colour_with_a_note(self, tmp_path: Path) -> None:
        Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
        images = opened(tmp_path / "a.jpg")
        assert images.image(0).mean(axis=(1, 2)) == pytest.approx([1, 0, 0], abs=0.05)
        assert any("CMYK" in note for note in images.card.notes)

    def test_that_black_and_white_is_grey(self, tmp_path: Path) -> None:
        Image.fromarray(np.array([[True, False]])).save(tmp_path / "a.png")
        np.testing.assert_array_equal(opened(tmp_path / "a.png").image(0)[0], [[1, 0]])

    def test_that_of_an_animation_the_first_frame_is_taken(self, tmp_path: Path) -> None:
        frames = [Image.new("L", (4, 4), value) for value in (200, 10)]
        frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
        images = opened(tmp_path / "a.gif")
        assert len(images) == 1
        assert images.image(0).mean() * 255 == pytest.approx(200, abs=2)
        assert any("the first is used" in note for note in images.card.notes)

    def test_that_one_pixel_is_an_image(self, tmp_path: Path) -> None:
        Image.new("RGB", (1, 1), (255, 0, 51)).save(tmp_path / "a.png")
        np.testing.assert_allclose(opened(tmp_path / "a.png").image(0).ravel(), [1, 0, 0.2])


class TestBadFiles:
    def test_that_a_huge_picture_is_refused_by_its_header(self, tmp_path: Path) -> None:
        Image.new("1", (20_000, 20_000)).save(tmp_path / "big.png")
        with pytest.raises(DataError, match="20,000 x 20,000 pixels"):
            picture_header(tmp_path / "big.png")

    @pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
    def test_that_what_is_no_picture_is_a_sentence(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(DataError, match=r"empty|damaged or no image"):
            picture_header(tmp_path / "a.png")

    @pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "tif", "gif", "webp"])
    def test_that_a_cut_off_file_is_found_at_import(self, tmp_path: Path, ending: str) -> None:
        whole = picture(tmp_path / f"whole.{ending}", height=64, width=64).read_bytes()
        (tmp_path / f"a.{ending}").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(DataError, match=r"cut off|damaged"):
            picture_header(tmp_path / f"a.{ending}")

    def test_that_a_png_with_a_flipped_bit_is_found_at_import(self, tmp_path: Path) -> None:
        content = bytearray(picture(tmp_path / "a.png", height=64, width=64).read_bytes())
        content[len(content) // 2] ^= 0x55
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(DataError, match="damaged"):
            picture_header(tmp_path / "a.png")

    def test_that_bad_files_are_left_out_counted_and_named(self, tmp_path: Path) -> None:
        picture(tmp_path / "good.png")
        (tmp_path / "empty.png").touch()
        (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
        (tmp_path / "readme.md").write_text("words")
        found = understand_images([tmp_path], name="x")
        assert found.card.extra["names"] == ["good.png"]
        said = " ".join(found.findings)
        assert "empty.png is empty" in said
        assert "broken.jpg is damaged" in said
        assert "1 file is no image and was left out: 1 .md" in said

    def test_that_a_picture_that_vanishes_later_is_a_sentence(self, tmp_path: Path) -> None:
        path = picture(tmp_path / "a.png")
        path.unlink()
        with pytest.raises(DataError, match="can't be found"):
            picture_pixels(path, 0, "uint8")


def test_that_kinds_are_seen_from_names_and_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"\0" * 3073 * 2)
    (tmp_path / "y.bin").write_bytes(b"\0" * 100)
    assert kind_of(tmp_path / "x.bin") == "cifar"
    assert kind_of(tmp_path / "y.bin") is None
    assert kind_of(picture(tmp_path / "a.JPG")) == "picture"


@pytest.mark.parametrize(
    ("depth", "low", "high", "expected"),
    [
        ("uint16", 0, 4095, (0, 4095)),
        ("uint16", 0, 4096, (0, 16383)),
        ("uint16", 5, 60000, (0, 65535)),
        ("float32", 0.1, 0.9, (0, 1)),
        ("float32", 0, 255, (0, 255)),
        ("float32", -3, 5, (-3, 5)),
        ("float32", 7, 7, (0, 255)),
        ("float32", -7, -7, (-7, -6)),
    ],
)
def test_that_black_and_white_follow_from_the_numbers(
    depth: str, low: float, high: float, expected: tuple[float, float]
) -> None:
    assert range_of_numbers(depth, low, high)[0] == expected


def test_that_numbers_that_are_not_finite_become_0() -> None:
    values = np.array([[np.nan, 0.5], [np.inf, -np.inf]], dtype=np.float32)
    np.testing.assert_array_equal(to_pixels(values, "float32", {"float32": (0, 1)})[0], [[0, 0.5], [1, 0]])
