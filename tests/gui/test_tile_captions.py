"""Captions below pictures that are too narrow for them."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QFont, QFontMetricsF

from sensiview.gui.plots.image_tile import shortened


def test_that_the_value_behind_a_long_name_stays_whole(qapp: Any) -> None:
    metrics = QFontMetricsF(QFont())
    text = "a_rather_long_name_of_an_image.png · max 0.63"
    whole = metrics.horizontalAdvance(text)
    assert shortened(text, metrics, whole + 1) == text
    short = shortened(text, metrics, whole / 2)
    assert short.endswith(" · max 0.63")
    assert "…" in short
    assert metrics.horizontalAdvance(short) <= whole / 2 + 1
    # Where there is no room for any of the name, both are cut.
    assert metrics.horizontalAdvance(shortened(text, metrics, 30)) <= 31
