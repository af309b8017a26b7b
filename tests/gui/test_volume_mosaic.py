"""Maps over volumes as pictures: every slice where a radiologist expects it, also without a display."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from sensiview.analysis.items import INPUT_VALUE, FieldMap, Mask
from sensiview.datasets.volume import Volume
from sensiview.errors import DataError, UserError
from sensiview.gui.plots import draw_item, volume_slices
from sensiview.gui.plots.volume_mosaic import VolumeMosaic
from sensiview.gui.themes import DARK
from sensiview.gui.volume_maps import is_volume_map, place_title

pytestmark = pytest.mark.usefixtures("qapp")

# Patient axes of the file: left, posterior, superior; 20 x 24 x 18 voxels of 4 mm about the origin.
SHAPE = (20, 24, 18)
AFFINE = np.diag([-4.0, -4.0, 4.0, 1.0])
AFFINE[:3, 3] = (38.0, 46.0, -34.0)
LEFT, RIGHT = (15, 6, 12), (4, 6, 12)  # (i, j, k): x = -22 and 22 mm, both anterior and superior


def volume_map(*, peak: tuple[int, int, int] = LEFT, value: float = 2.0, other: float = 0.0) -> FieldMap:
    values = np.zeros(SHAPE, np.float32)
    i, j, k = peak
    values[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2] = value
    values[i, j, k] = 1.01 * value
    if other:
        i, j, k = RIGHT
        values[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2] = other
    return FieldMap(
        title="Saliency", values=values.swapaxes(0, 2), axes=("z", "y", "x"), affine=AFFINE, unit="log odds",
        signed=bool(other),
    )  # fmt: skip


def anatomy() -> Volume:
    values = np.zeros(SHAPE, np.int16)
    values[2:-2, 2:-2, 2:-2] = 400
    return Volume(values, AFFINE, name="head")


def over_head(_: tuple[int, ...]) -> tuple[Volume, str]:
    return anatomy(), ""


class Below:
    """Stands for what finds the volumes below a run's maps."""

    def __init__(self, volume: Volume | None, sentence: str = "") -> None:
        self.answer, self.asked = (volume, sentence), []  # type: ignore[var-annotated]

    def below(self, item: FieldMap, place: tuple[int, ...]) -> tuple[Volume | None, str]:
        self.asked.append(place)
        return self.answer


def masks(count: int) -> Mask:
    values = np.ones((count, *SHAPE[::-1]), np.float32)
    for number in range(count):
        values[number, 9, 10, 5 + number] = 0.0
    names = tuple(f"sub-{n:02}" for n in range(count))
    return Mask(
        title="Mask", values=values, axes=("subject", "z", "y", "x"), coordinates={"subject": names}, affine=AFFINE
    )


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    raw = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return raw[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def place_of(mosaic: VolumeMosaic, axis: int) -> np.ndarray:
    """Return the pixels of the slice across an axis that goes through the peak."""
    tile = next(tile for tile in mosaic._tiles if tile.crossed and tile.axis == axis)
    box = tile.place
    drawn = pixels(mosaic.to_image())
    return drawn[round(2 * box.top()) : round(2 * box.bottom()), round(2 * box.left()) : round(2 * box.right())]


def warm(part: np.ndarray) -> np.ndarray:
    """Say which pixels are red to yellow, not the yellow of the letters."""
    red, green, blue = part[..., 0], part[..., 1], part[..., 2]
    letters = (abs(red - 255) < 6) & (abs(green - 216) < 6) & (abs(blue - 74) < 6)
    found: np.ndarray = (red > blue + 60) & ~letters
    return found


def middle(found: np.ndarray) -> tuple[float, float]:
    """Return where found pixels lie, from 0 at the top left to 1."""
    rows, columns = np.nonzero(found)
    assert rows.size
    # Half transparent borders of letters are few; the median does not see them.
    return float(np.median(rows) / found.shape[0]), float(np.median(columns) / found.shape[1])


def test_that_the_patients_left_is_on_the_right_and_the_nose_on_the_left() -> None:
    mosaic = VolumeMosaic(volume_map(), below=over_head)
    row, column = middle(warm(place_of(mosaic, 2)))
    assert (row < 0.4, column > 0.6) == (True, True)  # axial: anterior on top, left on the right
    row, column = middle(warm(place_of(mosaic, 1)))
    assert (row < 0.5, column > 0.6) == (True, True)  # coronal: superior on top
    row, column = middle(warm(place_of(mosaic, 0)))
    assert (row < 0.5, column < 0.4) == (True, True)  # sagittal: anterior on the left
    mosaic = VolumeMosaic(volume_map(peak=RIGHT), below=over_head)
    assert middle(warm(place_of(mosaic, 2)))[1] < 0.4


def test_that_a_map_in_another_order_of_axes_gives_the_same_picture() -> None:
    item = volume_map()
    flipped = FieldMap(
        title=item.title, unit=item.unit, axes=item.axes, values=np.ascontiguousarray(item.values[:, :, ::-1]),
        affine=AFFINE @ np.array([[-1, 0, 0, SHAPE[0] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
    )  # fmt: skip
    assert np.array_equal(pixels(VolumeMosaic(item).to_image()), pixels(VolumeMosaic(flipped).to_image()))


def test_that_a_signed_map_has_both_colours_a_range_about_zero_and_its_unit(tmp_path: Path) -> None:
    item = volume_map(other=-1.0)
    mosaic = VolumeMosaic(item, below=over_head)
    axial = place_of(mosaic, 2)
    blue = (axial[..., 2] > axial[..., 0] + 60) & (axial[..., 2] > axial[..., 1] + 20)
    assert middle(warm(axial))[1] > 0.6
    assert middle(blue)[1] < 0.4
    draw_item(item, tmp_path / "map.svg")
    text = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert ">-2" in text
    assert "2 (log odds)" in text
    assert ">0<" in text.replace(" ", "")


def test_that_a_mask_is_drawn_where_it_covers_as_one_minus_m(tmp_path: Path) -> None:
    item = masks(1)
    mosaic = VolumeMosaic(item, below=over_head)
    share = warm(place_of(mosaic, 2)).mean()
    assert 0 < share < 0.03
    draw_item(item, tmp_path / "mask.svg")
    text = (tmp_path / "mask.svg").read_text(encoding="utf-8")
    assert "shown as 1 - m" in text
    assert "Subject sub-00: peak 1 at" in text


def test_that_every_subject_has_a_row_with_its_name_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    assert [entry.title.split(":")[0] for entry in VolumeMosaic(masks(3)).entries] == [
        "Subject sub-00", "Subject sub-01", "Subject sub-02",
    ]  # fmt: skip
    three, eight = VolumeMosaic(masks(3)), VolumeMosaic(masks(8))
    assert eight.left_out == 2
    assert eight.size.height() > three.size.height()
    draw_item(masks(8), tmp_path / "mask.svg")
    assert "2 more are not drawn" in (tmp_path / "mask.svg").read_text(encoding="utf-8")


def test_that_all_rows_share_one_range_of_colours() -> None:
    values = np.stack([volume_map(value=v).values for v in (1.0, 4.0)])
    item = FieldMap(title="Map", values=values, axes=("target", "z", "y", "x"), affine=AFFINE)
    looks = {(entry.layers[-1].look.low, entry.layers[-1].look.high) for entry in VolumeMosaic(item).entries}
    assert len(looks) == 1
    assert place_title(item, (1,)) == "Class 1"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("volume", [None, anatomy()])
def test_that_png_and_svg_show_the_same(theme: Any, volume: Volume | None, tmp_path: Path) -> None:
    below: Any = Below(volume)
    for name in ("map.png", "map.svg"):
        assert draw_item(volume_map(), tmp_path / name, theme=theme, size=(700, 400), anatomy=below)
    png = QImage(str(tmp_path / "map.png"))
    assert png.width() == 1400
    image = QImage(png.size(), QImage.Format.Format_ARGB32)
    image.fill(QColor("magenta"))
    painter = QPainter(image)
    QSvgRenderer(str(tmp_path / "map.svg")).render(painter)
    painter.end()
    assert np.abs(pixels(png) - pixels(image)).mean() < 6
    ground = pixels(png)[2, 2]
    assert (ground < 80).all() == (theme == "dark")


def grey_of(mosaic: VolumeMosaic) -> np.ndarray:
    """Say which pixels of the axial slice through the peak show the head: grey, neither black nor white text."""
    part = place_of(mosaic, 2)
    found: np.ndarray = (part.max(axis=2) - part.min(axis=2) < 6) & (part.max(axis=2) > 60)
    return found


def test_that_each_subject_is_drawn_below_its_own_map() -> None:
    heads = []
    for number in range(3):
        values = np.zeros(SHAPE, np.int16)
        values[2:-2, 2:-2, 2:-2] = 100 * (number + 1)
        heads.append(Volume(values, AFFINE, name=f"sub-{number:02}"))
    mosaic = VolumeMosaic(masks(3), below=lambda place: (heads[place[0]], ""))
    assert [entry.layers[0].array.max() for entry in mosaic.entries] == [100, 200, 300]
    assert "Each over its own subject." in mosaic.notes
    one = VolumeMosaic(masks(1), below=lambda place: (heads[place[0]], "Over sub-00, the first of 9 volumes."))
    assert "Over sub-00, the first of 9 volumes." in one.notes
    assert grey_of(one).mean() > 0.4


def test_that_the_convention_and_what_is_too_small_to_be_drawn_are_said(tmp_path: Path) -> None:
    draw_item(volume_map(), tmp_path / "map.svg", anatomy=Below(anatomy()))  # type: ignore[arg-type]
    text = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert ">RADIOLOGICAL<" in text.replace(" ", "")
    assert "Over head." in text
    assert "is not drawn." in text


def test_that_a_map_without_zeros_leaves_the_head_to_be_seen() -> None:
    values = np.random.default_rng(1).gamma(2.0, 1.0, SHAPE[::-1]).astype(np.float32)
    item = FieldMap(title="Map", values=values, axes=("z", "y", "x"), affine=AFFINE)
    mosaic = VolumeMosaic(item, below=over_head)
    look = mosaic.entries[0].layers[-1].look
    inside = values.swapaxes(0, 2)[2:-2, 2:-2, 2:-2]
    assert look.threshold == pytest.approx(min(np.percentile(inside, 75), 0.5 * look.high), rel=1e-5)
    assert grey_of(mosaic).mean() > 0.3
    # A mask is drawn from where it covers, however much that is.
    assert VolumeMosaic(masks(1), below=over_head).entries[0].layers[-1].look.threshold == pytest.approx(0.1)


def test_that_why_there_is_no_anatomy_is_written_below(tmp_path: Path) -> None:
    gone = "Drawn without anatomy: " + "a/long/folder/" * 20 + "head.nii.gz is gone. Put it back."
    mosaic = VolumeMosaic(volume_map(), below=lambda _: (None, gone))
    assert gone in mosaic.notes
    assert mosaic.size.height() > VolumeMosaic(volume_map()).size.height()
    draw_item(volume_map(), tmp_path / "map.svg", anatomy=Below(None, gone))  # type: ignore[arg-type]
    assert "Put it back." in (tmp_path / "map.svg").read_text(encoding="utf-8")


def test_that_a_volume_on_another_grid_is_brought_onto_that_of_the_map_and_one_elsewhere_is_not() -> None:
    fine = np.diag([-2.0, -2.0, 2.0, 1.0])
    fine[:3, 3] = (39.0, 47.0, -35.0)
    values = np.zeros((40, 48, 36), np.float32)
    values[4:-4, 4:-4, 4:-4] = 1.0
    mosaic = VolumeMosaic(volume_map(), below=lambda _: (Volume(values, fine, name="fine"), ""))
    assert mosaic.grid.shape == SHAPE
    assert mosaic.entries[0].layers[0].array.shape == SHAPE
    assert grey_of(mosaic).mean() > 0.4
    fine[:3, 3] = 900.0
    mosaic = VolumeMosaic(volume_map(), below=lambda _: (Volume(values, fine, name="fine"), ""))
    assert "'fine' lies elsewhere than this map, so it is not drawn below." in mosaic.notes


def test_that_of_a_large_volume_only_some_voxels_are_drawn_and_the_peak_stays_exact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(volume_slices, "MOST_VOXELS", 20 * 24 * 18 // 8)
    mosaic = VolumeMosaic(volume_map(), below=over_head)
    assert mosaic.grid.shape == (10, 12, 9)
    assert mosaic.entries[0].layers[0].array.shape == (10, 12, 9)
    assert mosaic.entries[0].title == "Peak 2.02 (log odds) at L 22.0 mm, A 22.0 mm, S 14.0 mm"
    assert "Of each axis every second voxel is drawn." in mosaic.notes
    row, column = middle(warm(place_of(mosaic, 2)))
    assert (row < 0.4, column > 0.6) == (True, True)


def test_that_an_input_is_drawn_in_grey_over_nothing() -> None:
    item = replace(volume_map(), unit=INPUT_VALUE, title="Masked input")
    below = Below(anatomy())
    mosaic = VolumeMosaic(item, below=lambda place: below.below(item, place))
    assert below.asked == []
    assert [layer.look.colour_map for layer in mosaic.entries[0].layers] == ["grey"]
    assert warm(place_of(mosaic, 2)).mean() < 0.002  # borders of letters
    assert not any("Grey:" in note or "not drawn" in note for note in mosaic.notes)


def test_that_text_is_text_in_svg(tmp_path: Path) -> None:
    draw_item(volume_map(), tmp_path / "map.svg")
    text = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert "Saliency" in text
    assert "at L 22.0 mm, A 22.0 mm, S 14.0 mm" in text
    assert text.count("<image") >= 12


@pytest.mark.parametrize("values", [np.zeros(SHAPE[::-1]), np.full(SHAPE[::-1], np.nan), np.ones(SHAPE[::-1])])
def test_that_empty_maps_are_drawn_and_say_so(values: np.ndarray) -> None:
    item = FieldMap(title="Empty", values=values, axes=("z", "y", "x"), affine=AFFINE)
    mosaic = VolumeMosaic(item, colours=DARK)
    assert not mosaic.to_image().isNull()
    assert mosaic.entries[0].title.startswith("Peak 1" if np.nanmax(values, initial=0) else "Zero everywhere")


def test_that_an_oblique_thin_or_single_slice_map_is_drawn() -> None:
    turn = np.eye(4)
    turn[:2, :2] = [[0.9, -0.436], [0.436, 0.9]]
    for shape, affine in (((6, 7, 8), turn), ((1, 9, 9), AFFINE), ((9, 9, 1), AFFINE)):
        item = FieldMap(title="Map", values=np.ones(shape, np.float32), axes=("z", "y", "x"), affine=affine)
        assert not VolumeMosaic(item).to_image(1).isNull()


def test_that_a_map_without_a_place_is_no_volume_and_a_singular_one_is_refused(tmp_path: Path) -> None:
    assert not is_volume_map(FieldMap(title="Map", values=np.ones((3, 4, 5)), axes=("z", "y", "x")))
    item = FieldMap(title="Map", values=np.ones((3, 4, 5)), axes=("z", "y", "x"), affine=np.zeros((4, 4)))
    with pytest.raises(DataError):
        draw_item(item, tmp_path / "map.png")
    with pytest.raises(UserError, match=r"not as '\.jpg'"):
        draw_item(volume_map(), tmp_path / "map.jpg")
    assert list(tmp_path.iterdir()) == []


def test_that_no_display_opengl_or_napari_is_needed(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\nfrom pathlib import Path\n"
        "from sensiview.analysis.items import Mask\nfrom sensiview.gui.plots import draw_item\n"
        "m = Mask(title='M', values=np.linspace(0, 1, 210).reshape(5, 6, 7), axes=('z', 'y', 'x'), affine=np.eye(4))\n"
        f"draw_item(m, Path({str(tmp_path / 'm.png')!r}))\n"
        "assert 'napari' not in sys.modules and 'vispy' not in sys.modules and 'torch' not in sys.modules\n"
    )
    bare = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    subprocess.run([sys.executable, "-c", code], env=bare, check=True, timeout=100)
    assert QImage(str(tmp_path / "m.png")).width() == 1800
