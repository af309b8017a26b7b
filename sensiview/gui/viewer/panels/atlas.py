"""Choosing atlases, finding a region by name, and the region under the cursor in every atlas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.dialogs.layout import named, set_role
from sensiview.gui.viewer.panels import landmarks
from sensiview.gui.viewer.panels.buttons import menu_button
from sensiview.gui.viewer.panels.opening import fitted_atlas
from sensiview.gui.viewer.panels.readout import region_at, shortened
from sensiview.gui.viewer.scene import Layer, Millimetres, Scene

_KINDS = "Label volumes (*.nii *.nii.gz *.img *.hdr *.mgz *.mgh);;All files (*)"
BundledAtlases = Callable[[], dict[str, Path]]


class AtlasPanel(QWidget):
    """Which atlases lie over the volume; typing a region's name leads there.

    Signals
    -------
    problem(object)
        A `SensiViewError`: the atlas can't be read, or belongs to another space.
    atlas_added(object)
        The `Atlas` that was put over the volume.
    arrived()
        A region was found: the keys belong to the panes again.
    """

    problem = Signal(object)
    atlas_added = Signal(object)
    arrived = Signal()

    def __init__(self, scene: Scene, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("atlas_panel")
        self._scene = scene
        self._places: dict[int, tuple[Any, dict[str, Millimetres]]] = {}
        tip = "Put an atlas over the volume, or take one away"
        self.add = menu_button(self, "add_atlas", "Atlas", tip, self._fill_menu)
        self.search = QLineEdit(self)
        named(self.search, "region_search", "Find a region", "Part of a region's name; Enter goes there")
        self.search.setPlaceholderText("Find region")
        self.search.setClearButtonEnabled(True)
        self._names = QStringListModel(self)
        completer = QCompleter(self._names, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setMaxVisibleItems(12)
        completer.activated.connect(lambda text: self.go_to(str(text)))
        self.search.setCompleter(completer)
        self.search.returnPressed.connect(lambda: self.go_to(self.search.text()))
        self.which = QComboBox(self)
        named(self.which, "search_atlas", "Atlas to search")
        self._here = QLabel(self)
        self._here.setObjectName("atlas_here")
        self._here.setWordWrap(True)
        self._here.setTextFormat(Qt.TextFormat.PlainText)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.add)
        row.addWidget(self.search, 1)
        row.addWidget(self.which)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self._here)
        self.which.currentIndexChanged.connect(lambda _: self._offer_names())
        scene.layers_changed.connect(self._layers_changed)
        scene.cursor_changed.connect(self._say_here)
        self._layers_changed()

    def go_to(self, text: str) -> None:
        """Go to the region of this name, or to the first one whose name holds the text."""
        atlas = self._atlas()
        wanted = text.strip().casefold()
        if atlas is None or not wanted:
            return
        places = self._centres(atlas)
        names = sorted(places, key=lambda name: (name.casefold() != wanted, not name.casefold().startswith(wanted)))
        name = next((name for name in names if wanted in name.casefold()), None)
        if name is None:
            self._say(f"{atlas.name} has no region '{text.strip()}' on this volume.", "warning")
            return
        self._scene.set_cursor(places[name])
        self._say_here()
        self.arrived.emit()

    def open_file(self, path: Path) -> None:
        """Put the atlas of a file over the volume, in the background."""

        def read() -> Any:
            from sensiview.datasets.atlas import open_atlas

            return open_atlas(path)

        self._read(read, path.name)

    def open_bundled(self, name: str) -> None:
        """Put an atlas that comes with SensiView over the volume."""

        def read() -> Any:
            from sensiview.datasets.atlas import find_atlas

            return find_atlas(name)

        self._read(read, name)

    def put(self, atlas: Any) -> None:
        """Put an atlas over the volume, below the maps and above the anatomy.

        Raises
        ------
        DataError
            It does not fit.
        """
        layer = self._layer(atlas)
        self._take(atlas, layer)

    def _read(self, read: Callable[[], Any], name: str) -> None:
        self._say(f"Reading {name} …", "muted")

        def made() -> tuple[Any, Layer]:
            atlas = read()
            return atlas, self._layer(atlas)

        run_in_background(made, lambda both: self._take(*both), self._failed, owner=self)

    def _layer(self, atlas: Any) -> Layer:
        anatomy = next((layer for layer in self._scene.layers if layer.role == "underlay"), None)
        return fitted_atlas(atlas, self._scene.grid, anatomy)

    def _take(self, atlas: Any, layer: Layer) -> None:
        scene = self._scene
        if layer.array.shape != scene.grid.shape:  # another volume came while the atlas was read
            layer = self._layer(atlas)
        scene.set_layer(layer)
        anatomy = [la for la in scene.layers if la.role == "underlay"]
        scene.move_layer(layer.key, len(anatomy))
        self._say_here()
        self.atlas_added.emit(atlas)

    def _failed(self, error: SensiViewError) -> None:
        self._say(error.sentence, "error")
        self.problem.emit(error)

    def _fill_menu(self, menu: QMenu) -> None:
        from sensiview.datasets.atlas import bundled_atlases

        for name in bundled_atlases():
            action = menu.addAction(name.replace("_", " ").title())
            action.setObjectName(f"atlas_{name}")
            action.triggered.connect(lambda _=False, name=name: self.open_bundled(name))
        other = menu.addAction("From a file …", self._ask)
        other.setObjectName("atlas_from_file")
        there = [layer for layer in self._scene.layers if layer.role == "atlas"]
        if there:
            menu.addSeparator()
        for layer in there:
            action = menu.addAction(f"Remove {shortened(layer.name)}")
            action.setObjectName(f"remove_{layer.key}")
            action.triggered.connect(lambda _=False, key=layer.key: self._scene.remove_layer(key))

    def _ask(self) -> None:
        dialog = QFileDialog(self, "Open atlas", "", _KINDS)
        dialog.setObjectName("open_atlas_dialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.open_file(Path(path)))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _atlas(self) -> Layer | None:
        key = self.which.currentData()
        return next((layer for layer in self._scene.layers if layer.key == key), None)

    def _layers_changed(self) -> None:
        kept = self.which.currentData()
        atlases = [layer for layer in self._scene.layers if layer.role == "atlas"]
        self.which.blockSignals(True)
        self.which.clear()
        for layer in atlases:
            self.which.addItem(shortened(layer.name), layer.key)
        self.which.setCurrentIndex(max(0, self.which.findData(kept)) if atlases else -1)
        self.which.blockSignals(False)
        self.which.setVisible(len(atlases) > 1)
        self.search.setEnabled(bool(atlases))
        self._offer_names()
        self._say_here()

    def _offer_names(self) -> None:
        atlas = self._atlas()
        self._names.setStringList(sorted(atlas.names.values(), key=str.casefold) if atlas is not None else [])

    def _centres(self, atlas: Layer) -> dict[str, Millimetres]:
        mark = id(atlas.array)
        if mark not in self._places:
            found = {place.name: place.mm for _, place in landmarks.regions(atlas, self._scene.grid)}
            self._places = {mark: (atlas.array, found)}
        return self._places[mark][1]

    def _say_here(self) -> None:
        atlases = [layer for layer in self._scene.layers if layer.role == "atlas"]
        if not atlases:
            self._say("No atlas. Choose one to see region names.", "muted")
            return
        if len(atlases) == 1:  # the read-out below the panes says it
            self._say("", "")
            return
        lines = []
        for atlas in atlases:
            label, name = region_at(atlas, self._scene)
            lines.append(f"{shortened(atlas.name)}: {f'{name} ({label})' if label else 'no region'}")
        self._say("\n".join(lines), "")

    def _say(self, sentence: str, role: str) -> None:
        self._here.setText(sentence)
        self._here.setVisible(bool(sentence))
        if self._here.property("role") != role:
            set_role(self._here, role)
