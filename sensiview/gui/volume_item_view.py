"""A map over a volume as a result: in the linked viewer, over the anatomy that it explains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from sensiview.analysis.items import INPUT_VALUE, FieldMap, Item, Mask
from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.item_view import Mode
from sensiview.gui.session import Session
from sensiview.gui.volume_loading import Loaded, load_underlay
from sensiview.gui.volume_maps import SPATIAL, axis_labels, axis_title, place_title

if TYPE_CHECKING:
    from sensiview.gui.viewer.workbench import ViewerWorkbench


# Pixels of width from which on panels and panes have room beside each other.
_WIDE = 620
_LEAST_LETTERS = 10


class VolumeItemView(QWidget):
    """The viewer with one map over a volume, and a choice for every other axis of the map.

    Signals
    -------
    changed()
        The user chose another subject, another lambda, another volume below.
    problem(object)
        A `SensiViewError`.
    shown()
        The volume and the map are in the panes.
    """

    changed = Signal()
    shown = Signal()
    problem = Signal(object)

    def __init__(self, session: Session, run_id: str, item: FieldMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("item_view")
        self._session, self._run_id, self._item = session, run_id, item
        self._choices: dict[str, QComboBox] = {}
        self._loaded: Loaded | None = None
        self._forget: Any = None
        self._kept: Mapping[str, Any] = {}
        self._said = ""
        self._asked = ""  # the volume that is shown below or on its way; empty before the first
        self.workbench: ViewerWorkbench | None = None
        self.mode: Mode = "plot"
        self.description = ElidedLabel(item.description.replace("`", ""))
        self.description.setObjectName("item_description")
        self.description.setProperty("role", "muted")
        self.over = QComboBox()
        self.over.setObjectName("volume_below")
        self.over.setAccessibleName("Volume below the map")
        self.over.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.over.setMinimumContentsLength(_LEAST_LETTERS)
        self.over.activated.connect(self._choose_ground)
        self._bar = QHBoxLayout()
        self._bar.setContentsMargins(12, 2, 12, 2)
        self._bar.setSpacing(8)
        self.sentence = QLabel("Opening the volume …")
        self.sentence.setProperty("role", "muted")
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.sentence.setWordWrap(True)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.sentence)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(self._bar)
        layout.addWidget(self.stack, 1)
        self._offer()
        self._load()

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The viewer has a table of regions of its own."""
        return ("plot",)

    def set_mode(self, mode: Mode) -> None:
        """There is one."""

    def show_item(self, item: Item) -> None:
        """Show newer values over the same volume, keeping every choice."""
        assert isinstance(item, FieldMap)
        same_axes = item.axes == self._item.axes and item.coordinates == self._item.coordinates
        self._item = item
        if not same_axes:
            self._offer()
        self._show()

    def places(self) -> dict[str, str]:
        """Return the name of the chosen place on each axis before z, y, x."""
        return {axis: choice.currentText() for axis, choice in self._choices.items()}

    def choose(self, axis: str, place: str) -> None:
        """Go to a place by its name on an axis before z, y, x; nothing where there is none."""
        choice = self._choices.get(axis)
        at = choice.findText(place) if choice is not None else -1
        if choice is not None and at >= 0 and at != choice.currentIndex():
            choice.setCurrentIndex(at)
            self._follow(subject=axis == "subject")

    def state(self) -> dict[str, Any]:
        """Return every choice as plain values."""
        return {
            "axes": {axis: choice.currentIndex() for axis, choice in self._choices.items()},
            "over": self.over.currentText(),
            "viewer": self.workbench.state() if self.workbench is not None else dict(self._kept),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Choose what `state` gave; what does not fit is left out."""
        axes = state.get("axes")
        for axis, index in (axes if isinstance(axes, Mapping) else {}).items():
            choice = self._choices.get(axis)
            if choice is not None and isinstance(index, int) and 0 <= index < choice.count():
                choice.setCurrentIndex(index)
        viewer = state.get("viewer")
        if isinstance(viewer, Mapping):
            self._kept = viewer
            if self.workbench is not None:
                self.workbench.restore(dict(viewer))
        # By name: the list of volumes comes only when one has been opened.
        subject = self._choices["subject"].currentText() if "subject" in self._choices else ""
        wanted = str(state.get("over", "")) or subject
        if wanted and wanted != self._asked:
            self._asked = wanted
            self._load()

    # Inside.

    def _offer(self) -> None:
        """Offer a choice for each axis before z, y, x, and the volume below."""
        while self._bar.count():
            at = self._bar.takeAt(0)
            taken = at.widget() if at is not None else None
            if taken is not None and taken not in (self.over, self.description):
                taken.deleteLater()
        self._choices = {}
        for axis in self._item.axes[:-3]:
            choice = QComboBox()
            choice.setObjectName(f"axis_{axis}")
            title = axis_title(axis)
            choice.setAccessibleName(title)
            choice.addItems(list(axis_labels(self._item, axis)))
            # As wide as there is room, but a long name must not push the window off a small screen.
            choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            choice.setMinimumContentsLength(_LEAST_LETTERS)
            choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            choice.setMaximumWidth(choice.fontMetrics().horizontalAdvance("n" * 30))
            choice.activated.connect(self._chosen)
            label = QLabel(title)
            label.setBuddy(choice)
            self._bar.addWidget(label)
            self._bar.addWidget(choice)
            self._choices[axis] = choice
        label = QLabel("Over")
        label.setBuddy(self.over)
        self._bar.addWidget(label)
        self._bar.addWidget(self.over)
        # In the same line: every line above the panes makes slices smaller.
        self._bar.addWidget(self.description, 1)

    def _chosen(self) -> None:
        self._follow(subject=self.sender() is self._choices.get("subject"))
        self.changed.emit()

    def _follow(self, *, subject: bool) -> None:
        if subject:
            # The map of a subject lies over that subject, not over the one before.
            self._asked = self._choices["subject"].currentText()
            self._load()
        else:
            self._show()

    def _choose_ground(self) -> None:
        self._asked = self.over.currentText()
        self._load()
        self.changed.emit()

    def _load(self) -> None:
        """Open the volume below, off the GUI thread."""
        if self._forget is not None:
            self._forget()
        run = self._session.run_record(self._run_id)
        project = self._session.project
        if not self._asked and "subject" in self._choices:
            self._asked = self._choices["subject"].currentText()
        wanted = self._asked
        if run is None or project is None:
            return
        try:
            source = project.dataset(run.dataset) if run.dataset else None
        except SensiViewError:
            source = None  # deleted since: the map is shown alone
        item = self._item
        self._forget = run_in_background(
            lambda: load_underlay(source, wanted, item, run.parameters), self._take, self._fail, owner=self
        )

    def _take(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._asked = loaded.name
        if self.over.count() == 0:
            self.over.addItems(list(loaded.names))
        self.over.setCurrentIndex(self.over.findText(loaded.name))
        if self.workbench is None:
            from sensiview.gui.viewer.workbench import ViewerWorkbench

            self.workbench = ViewerWorkbench()
            self.workbench.problem.connect(self.problem)
            self.workbench.shown.connect(self.shown)
            if not self._kept and self._item.unit != INPUT_VALUE:
                self.workbench.shown.connect(self._go_to_peak, Qt.ConnectionType.SingleShotConnection)
            # Beside the list of items a small window has no room for panels; the button above the panes brings them.
            self.workbench.side.setVisible(self.width() >= _WIDE)
            self.stack.addWidget(self.workbench)
            self.stack.setCurrentWidget(self.workbench)
        self._show()
        if self._kept:
            self.workbench.restore(dict(self._kept))
            self._kept = {}
        if loaded.problem is not None and loaded.problem.sentence != self._said:
            self._said = loaded.problem.sentence
            self.problem.emit(loaded.problem)

    def _fail(self, error: SensiViewError) -> None:
        self.sentence.setText(error.sentence)
        self.stack.setCurrentWidget(self.sentence)

    def _show(self) -> None:
        """Put the chosen part of the map over the volume."""
        if self.workbench is None or self._loaded is None:
            return
        part = self.part()
        self.workbench.pictures.set_store(self._session.project, f"{self._run_id}/{self._loaded.name}")
        self.workbench.show_volume(
            self._loaded.volume,
            title=self._loaded.name,
            # One name for all places on the other axes, so that colours and threshold stay as they were chosen.
            overlays=[(self._item.title, part)],
            atlas=self._loaded.atlas,
        )

    def _go_to_peak(self) -> None:
        """Begin where the map is strongest: the middle of the volume tells nothing of it."""
        from sensiview.gui.viewer.panels.landmarks import peak

        assert self.workbench is not None
        scene = self.workbench.scene
        layer = next((layer for layer in scene.layers if layer.role in ("overlay", "mask")), None)
        found = peak(layer, scene.grid) if layer is not None else None
        if found is not None and found.value:
            scene.set_cursor(found.mm)

    def part(self) -> FieldMap:
        """Return the map at the chosen places of its other axes, axes z, y, x."""
        item = self._item
        index = tuple(self._choices[axis].currentIndex() for axis in item.axes[:-3])
        made = Mask if isinstance(item, Mask) else FieldMap
        chosen = place_title(item, index)
        return made(
            title=f"{item.title} ({chosen})" if chosen else item.title,
            description=item.description,
            values=np.asarray(item.values[index]),
            axes=SPATIAL,
            unit=item.unit,
            signed=item.signed,
            over=item.over,
            affine=item.affine,
        )
