"""Going to a place: typed, known (origin, centre, peak), or the next region, cluster or local peak."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.dialogs.layout import named, set_role
from sensiview.gui.number_text import short, with_unit_behind
from sensiview.gui.viewer.panels import landmarks
from sensiview.gui.viewer.panels.buttons import arrow_button, menu_button
from sensiview.gui.viewer.panels.landmarks import Landmark
from sensiview.gui.viewer.panels.position import parse_place
from sensiview.gui.viewer.panels.readout import shortened
from sensiview.gui.viewer.scene import Layer, Scene

Kind = Literal["regions", "clusters", "peaks"]
_WORDS: dict[Kind, str] = {"regions": "Regions", "clusters": "Clusters", "peaks": "Local peaks"}


class GoTo(QWidget):
    """A field for coordinates, a menu of known places, and steps through regions, clusters or local peaks.

    Signals
    -------
    problem(object)
        A `SensiViewError`: the search for peaks or clusters failed.
    arrived()
        A typed place was gone to: the keys belong to the panes again.
    """

    problem = Signal(object)
    arrived = Signal()

    def __init__(self, scene: Scene, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("go_to")
        self._scene = scene
        self._found: dict[tuple[str, Kind, int, float], tuple[Landmark, ...]] = {}
        self._at: dict[tuple[str, Kind, int, float], int] = {}
        self._forget: Callable[[], None] | None = None
        self.field = QLineEdit(self)
        named(
            self.field, "go_to_field", "Coordinates to go to", "mm such as -24 12 8 or L24 A12 S8, or voxel 90 110 60"
        )
        self.field.setPlaceholderText("Go to mm or voxel, e.g. -24 12 8")
        self.field.setClearButtonEnabled(True)
        self.field.returnPressed.connect(self.go)
        self.field.textEdited.connect(lambda _: self._say(""))
        self.units = QComboBox(self)
        named(self.units, "go_to_units", "What the typed numbers are")
        self.units.addItems(["mm", "voxel"])
        tip = "Known places: origin, centre, peak of a layer"
        self.places = menu_button(self, "go_to_places", "Places", tip, self._fill_menu)
        self.what = QComboBox(self)
        named(self.what, "step_through", "What the arrows step through")
        self.what.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        left, right, what = Qt.ArrowType.LeftArrow, Qt.ArrowType.RightArrow, "region, cluster or local peak"
        self.before = arrow_button(self, "previous_landmark", left, f"Previous {what}", lambda: self.step(-1))
        self.after = arrow_button(self, "next_landmark", right, f"Next {what}", lambda: self.step(1))
        self._answer = QLabel(self)
        self._answer.setObjectName("go_to_answer")
        self._answer.setWordWrap(True)
        self._answer.setTextFormat(Qt.TextFormat.PlainText)
        self._answer.hide()
        self._arrange()
        scene.layers_changed.connect(self._offer_layers)
        self._offer_layers()

    def go(self) -> None:
        """Go to what was typed; a text that is no place is answered with a sentence below."""
        try:
            self._scene.set_cursor(
                parse_place(self.field.text(), self._scene, as_voxel=self.units.currentText() == "voxel")
            )
        except SensiViewError as error:
            self._say(error.sentence, "error")
            self.field.selectAll()
            return
        self._say("")
        self.arrived.emit()

    def go_to_peak(self, key: str) -> None:
        """Go to the largest magnitude of a layer."""
        layer, grid = self._scene.layer(key), self._scene.grid
        self._search(lambda: landmarks.peak(layer, grid), lambda found: self._arrive(found, layer))

    def step(self, direction: int) -> None:
        """Go to the next (1) or previous (-1) of what the list names; after the last comes the first."""
        chosen = self.what.currentData()
        if chosen is None:
            self._say("There is no map and no atlas to step through.", "muted")
            return
        kind, key = chosen
        try:
            layer = self._scene.layer(key)
        except KeyError:
            return
        mark = (key, kind, id(layer.array), layer.look.threshold if kind != "regions" else 0.0)
        if mark in self._found:
            self._step_to(mark, direction, layer)
            return
        grid = self._scene.grid

        def search() -> tuple[Landmark, ...]:
            if kind == "regions":
                return tuple(place for _, place in landmarks.regions(layer, grid))
            return landmarks.clusters(layer, grid) if kind == "clusters" else landmarks.local_peaks(layer, grid)

        def found(places: tuple[Landmark, ...]) -> None:
            self._found[mark] = places
            self._step_to(mark, direction, layer)

        self._search(search, found)

    def _step_to(self, mark: tuple[str, Kind, int, float], direction: int, layer: Layer) -> None:
        places = self._found[mark]
        if not places:
            what = "no region on this grid" if mark[1] == "regions" else "nothing above its threshold"
            self._say(f"{layer.name} has {what}.", "muted")
            return
        start = self._at.get(mark, -1 if direction > 0 else 0)
        self._at[mark] = (start + direction) % len(places)
        self._arrive(places[self._at[mark]], layer)

    def _arrive(self, place: Landmark | None, layer: Layer) -> None:
        if place is None:
            self._say(f"{layer.name} has no finite value.", "muted")
            return
        self._scene.set_cursor(place.mm)
        value = f": {with_unit_behind(short(place.value), layer.unit)}" if math.isfinite(place.value) else ""
        self._say(place.name[:1].upper() + place.name[1:] + value, "muted")

    def _search(self, search: Callable[[], object], done: Callable[..., None]) -> None:
        if self._forget is not None:
            self._forget()
        self._say("Searching …", "muted")

        def failed(error: SensiViewError) -> None:
            self._say(error.sentence, "error")
            self.problem.emit(error)

        self._forget = run_in_background(search, done, failed, owner=self)

    def _fill_menu(self, menu: QMenu) -> None:
        scene = self._scene
        origin = menu.addAction("Origin (0, 0, 0) mm", lambda: self._known((0.0, 0.0, 0.0), "The origin"))
        origin.setObjectName("go_to_origin")
        centre = menu.addAction("Centre of the volume", lambda: scene.set_cursor(scene.grid.centre))
        centre.setObjectName("go_to_centre")
        menu.addSeparator()
        for layer in reversed(scene.layers):
            if layer.role in ("overlay", "mask", "underlay"):
                action = menu.addAction(f"Peak of {shortened(layer.name)}")
                action.setObjectName(f"go_to_peak_{layer.key}")
                action.triggered.connect(lambda _=False, key=layer.key: self.go_to_peak(key))

    def _known(self, mm: tuple[float, float, float], name: str) -> None:
        if self._scene.grid.holds(self._scene.grid.voxel(mm)):
            self._scene.set_cursor(mm)
            self._say("")
        else:
            self._say(f"{name} lies outside this volume.", "muted")

    def _offer_layers(self) -> None:
        kept = self.what.currentData()
        self._found = {mark: places for mark, places in self._found.items() if self._still_there(mark)}
        self.what.blockSignals(True)
        self.what.clear()
        for kind, layer in _steps(self._scene.layers):
            self.what.addItem(f"{_WORDS[kind]} of {shortened(layer.name)}", (kind, layer.key))
            if kept is not None and tuple(kept) == (kind, layer.key):
                self.what.setCurrentIndex(self.what.count() - 1)
        self.what.blockSignals(False)
        usable = self.what.count() > 0
        for widget in (self.what, self.before, self.after):
            widget.setEnabled(usable)

    def _still_there(self, mark: tuple[str, Kind, int, float]) -> bool:
        return any(layer.key == mark[0] and id(layer.array) == mark[2] for layer in self._scene.layers)

    def _arrange(self) -> None:
        typed = QHBoxLayout()
        typed.setSpacing(4)
        typed.addWidget(self.field, 1)
        typed.addWidget(self.units)
        typed.addWidget(self.places)
        steps = QHBoxLayout()
        steps.setSpacing(4)
        steps.addWidget(self.before)
        steps.addWidget(self.what, 1)
        steps.addWidget(self.after)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(4)
        column.addLayout(typed)
        column.addLayout(steps)
        column.addWidget(self._answer)

    def _say(self, sentence: str, role: str = "muted") -> None:
        self._answer.setText(sentence)
        self._answer.setVisible(bool(sentence))
        if self._answer.property("role") != role:
            set_role(self._answer, role)


def _steps(layers: Sequence[Layer]) -> list[tuple[Kind, Layer]]:
    found: list[tuple[Kind, Layer]] = [("regions", layer) for layer in layers if layer.role == "atlas"]
    for layer in reversed(layers):
        if layer.role in ("overlay", "mask"):
            found += [("clusters", layer), ("peaks", layer)]
    return found
