"""The texts of a pane fit into it, at every size of pane and font, and touch neither letters nor colour bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QFontMetricsF

from sensiview.gui.viewer import corner_texts
from sensiview.gui.viewer.pane_view import fitted
from sensiview.gui.viewer.scene import Axis, DisplayGrid, Scene

pytestmark = pytest.mark.needs_display
GRID = DisplayGrid((240, 256, 180), (1.0, 1.0, 1.0), (-119.0, -140.0, -90.0))


def scene_of(*, resampled: bool) -> Scene:
    scene = Scene()
    scene.show(replace(GRID, resampled=resampled), ())
    scene.set_cursor((-101.4, -123.6, -77.8))
    return scene


@pytest.mark.parametrize("points", [7, 9, 12, 16, 20, 24])
@pytest.mark.parametrize("size", [(120, 120), (150, 135), (196, 178), (260, 300), (330, 280), (700, 420), (900, 900)])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("resampled", [False, True])
def test_that_lines_lie_inside_the_pane_and_clear_of_the_letters(
    qapp: Any, points: int, size: tuple[int, int], axis: Axis, resampled: bool
) -> None:
    scene = scene_of(resampled=resampled)
    view = fitted(axis, scene.grid, scene.options, size)
    base = QFont(qapp.font())
    base.setPointSizeF(points)
    font = corner_texts.fitted_font(base, size)
    letters = QFontMetricsF(corner_texts.letter_font(font))
    width = letters.horizontalAdvance("A")
    top = QRectF(size[0] / 2 - width / 2, 4, width, letters.ascent())
    side = QRectF(8, size[1] / 2 - letters.capHeight() / 2, width, letters.capHeight())
    found = corner_texts.arranged(scene, view, font, right=float(size[0]))
    metrics = QFontMetricsF(font)
    for box, (text, _) in found:
        glyphs = box.adjusted(0, metrics.ascent() - metrics.capHeight(), 0, -metrics.descent())
        assert box.right() <= size[0], text
        assert not glyphs.intersects(top), text
        assert not glyphs.intersects(side), text
    said = " ".join(text for _, (text, _) in found)
    assert corner_texts.PLANES[axis] in said
    assert corner_texts.position_text(scene.cursor[axis], axis) in said
    assert ("NOSE LEFT" if axis == 0 else "RADIOLOGICAL") in said
    assert ("resampled" in said) == resampled


def test_that_a_wide_pane_says_all_in_one_line(qapp: Any) -> None:
    scene = scene_of(resampled=False)
    view = fitted(2, scene.grid, scene.options, (700, 420))
    font = corner_texts.fitted_font(qapp.font(), (700, 420))
    lines = [text for _, (text, _) in corner_texts.arranged(scene, view, font, right=700.0)]
    assert lines == ["Axial  I 77.8 mm  ·  13/180", "RADIOLOGICAL"]


def test_that_colour_bars_keep_their_room(qapp: Any) -> None:
    scene = scene_of(resampled=True)
    view = fitted(0, scene.grid, scene.options, (196, 178))
    font = corner_texts.fitted_font(qapp.font(), (196, 178))
    for box, (text, _) in corner_texts.arranged(scene, view, font, right=130.0):
        assert box.right() <= 130.0, text


def test_that_the_font_of_a_large_pane_is_the_users_own(qapp: Any) -> None:
    font = QFont(qapp.font())
    font.setPointSizeF(14)
    assert corner_texts.fitted_font(font, (900, 800)).pointSizeF() == 14
    assert corner_texts.fitted_font(font, (150, 150)).pointSizeF() < 14


def test_that_panels_fit_beside_the_panes_with_a_large_font(
    make_viewer: Callable[..., Any], qapp: Any, settle: Any
) -> None:
    from sensiview.gui.themes import apply_font, apply_theme
    from sensiview.gui.viewer.workbench import ViewerWorkbench
    from tests.viewer import phantom_head

    apply_font(qapp, 15)
    apply_theme(qapp, "light")
    bench = ViewerWorkbench(canvas="pyqtgraph")
    try:
        bench.resize(680, 420)
        bench.show()
        bench.show_volume(phantom_head.volume("LPS"))
        for name in bench.side.tabs:
            bench.side.open_tab(name)
            settle(0.05)
            cut = [
                child.objectName()
                for child in bench.side.tabs[name].findChildren(object)
                if hasattr(child, "isVisible") and hasattr(child, "mapTo") and child.isVisible()
                and child.objectName() and not child.objectName().startswith("qt_")
                and child.mapTo(bench.side, child.rect().topRight()).x() > bench.side.width()
            ]  # fmt: skip
            assert cut == [], name
    finally:
        bench.close()
        bench.deleteLater()
        apply_font(qapp, 0)
        apply_theme(qapp, "light")
