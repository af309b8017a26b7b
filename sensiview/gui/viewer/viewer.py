"""Four linked panes and their tool bar over one scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QHideEvent, QImage, QShowEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget
from shiboken6 import Shiboken

from sensiview.datasets.volume import Volume
from sensiview.errors import SensiViewError, UserError, suggestion
from sensiview.gui.background import run_in_background
from sensiview.gui.garbage import idle_collector
from sensiview.gui.viewer.build import is_oblique, layer_from_volume
from sensiview.gui.viewer.canvas_choice import CanvasChoice, Kind, choose_canvas
from sensiview.gui.viewer.key_commands import KeyCommands
from sensiview.gui.viewer.linking import ViewerLink
from sensiview.gui.viewer.pane import Pane
from sensiview.gui.viewer.scene import AXIAL, CORONAL, SAGITTAL, Axis, Scene
from sensiview.gui.viewer.take_over import NapariTakeOver
from sensiview.gui.viewer.tool_bar import ViewerToolBar
from sensiview.gui.viewer.view_state import restore_state, viewer_state
from sensiview.gui.viewer.volume_3d import Pane3D

PaneName = Literal["axial", "sagittal", "coronal", "3d"]
# Coronal below axial: both share the left-right axis.
_PLACES: Mapping[str, tuple[int, int]] = {"axial": (0, 0), "sagittal": (0, 1), "coronal": (1, 0), "3d": (1, 1)}
_AXES: Mapping[str, Axis] = {"axial": AXIAL, "sagittal": SAGITTAL, "coronal": CORONAL}
_GAP = 3


class VolumeViewer(QWidget):
    """Axial, sagittal, coronal and 3-D pane of a `Scene`.

    The first slices are painted without napari; it takes over when it is imported, at the same view.

    Signals
    -------
    enlarged_changed()
        Another pane fills the viewer, or all are shown.
    view_changed()
        The user zoomed or pushed a pane.
    menu_asked(QPoint, str)
        Right click into a pane: global position, name of the pane.
    hovered(object)
        RAS mm under the mouse.
    said(str)
        A sentence for the user, such as why there is no OpenGL.
    ready()
        The volume that was asked for is shown.

    `choice` is the canvas for this machine, `drawn_by` the one that draws the slices now.
    """

    enlarged_changed = Signal()
    view_changed = Signal()
    menu_asked = Signal(QPoint, str)
    hovered = Signal(object)
    said = Signal(str)
    ready = Signal()

    def __init__(self, scene: Scene | None = None, parent: QWidget | None = None, *, canvas: str = "") -> None:
        super().__init__(parent)
        self.setObjectName("volume_viewer")
        self.setAccessibleName("Volume viewer")
        self.scene = scene or Scene(self)
        self.choice: CanvasChoice = choose_canvas(canvas)
        self.enlarged = ""
        self._links: list[ViewerLink] = []
        self._disposed = False
        self._waiting: Callable[[], None] = lambda: None
        self._take_over = NapariTakeOver(self)
        self.drawn_by: Kind = "pyqtgraph"
        self._current: Pane
        self._build()
        self.commands = KeyCommands(self)
        self.tool_bar = ViewerToolBar(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tool_bar)
        layout.addWidget(self._notice)
        layout.addWidget(self.area, 1)
        self.scene.grid_changed.connect(self._place_colour_bar)
        collector = idle_collector()
        for signal in (self.scene.cursor_changed, self.scene.look_changed, self.view_changed):
            signal.connect(collector.postpone)
        self._place_colour_bar()

    def _build(self) -> None:
        self.area = QWidget(self)
        self.area.setAutoFillBackground(True)
        palette = self.area.palette()
        palette.setColor(self.area.backgroundRole(), QColor("#3a3f48"))
        self.area.setPalette(palette)
        self._notice = QLabel(self)
        self._notice.setObjectName("viewer_notice")
        self._notice.setProperty("role", "warning")
        self._notice.setWordWrap(True)
        self._notice.setTextFormat(Qt.TextFormat.PlainText)
        self._notice.setContentsMargins(8, 3, 8, 3)
        self._notice.hide()
        # Plain canvases are there at once; each of napari's takes a quarter of a second.
        now: Kind = "pyqtgraph"
        self.panes: dict[str, Pane] = {name: Pane(self.scene, axis, now, self.area) for name, axis in _AXES.items()}
        self.pane_3d = Pane3D(self.scene, now, self.choice.sentence or "The 3-D view is being loaded…", self.area)
        self._current = self.panes["axial"]
        self._grid = QGridLayout(self.area)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP)
        for name, widget in self.widgets().items():
            self._grid.addWidget(widget, *_PLACES[name])
        for name, pane in self.panes.items():
            pane.enlarge_asked.connect(lambda n=name: self.enlarge(n))
            pane.command.connect(lambda action, p=pane: self.commands.run(action, p))
            pane.menu_asked.connect(lambda at, n=name: self.menu_asked.emit(at, n))
            pane.hovered.connect(self.hovered)
            pane.view_changed.connect(self.view_changed)
            pane.focused.connect(lambda p=pane: self._set_current(p))
        self.pane_3d.enlarge_asked.connect(lambda: self.enlarge("3d"))
        self._lay_out()

    # What others call

    def show_volume(self, volume: Volume, *, title: str = "") -> None:
        """Show a volume alone; an oblique one is interpolated in the background first, then `ready` is emitted.

        Raises
        ------
        DataError
            It says nothing usable about where its voxels lie.
        """
        self._waiting()
        name = title or volume.name

        def show(made: Any) -> None:
            grid, layer, to_file_voxel = made
            self.tell("")
            self.scene.show(grid, (layer,), title=name, to_file_voxel=to_file_voxel)
            self.ready.emit()

        if is_oblique(volume):
            self.tell(f"'{name}' is oblique to the patient's axes and is being resampled for display…")
            self._waiting = run_in_background(lambda: layer_from_volume(volume), show, self._failed, owner=self)
        else:
            show(layer_from_volume(volume))

    def do(self, action: str) -> None:
        """Do an action of the table of shortcuts in the pane that the keys are about."""
        self.commands.run(action, self._current)

    def enlarge(self, name: str) -> None:
        """Let a pane fill the viewer, or show all when it does already."""
        self.set_enlarged("" if self.enlarged == name else name)

    def show_all_panes(self) -> None:
        """Show all four."""
        self.set_enlarged("")

    def set_enlarged(self, name: str) -> None:
        """Let a pane fill the viewer; empty for all four.

        Raises
        ------
        UserError
            There is no such pane.
        """
        if name and name not in _PLACES:
            raise UserError(f"The viewer has no pane '{name}'.{suggestion(name, list(_PLACES))}")
        if name == self.enlarged:
            return
        self.enlarged = name
        self._lay_out()
        if name in self.panes and self.area.isAncestorOf(self.focusWidget() or self):
            self.panes[name].setFocus()
        self.enlarged_changed.emit()

    def next_pane(self, pane: Pane) -> None:
        """Give the keys to the next slice pane; an enlarged one makes room for it."""
        order = list(self.panes)
        name = order[(order.index(self._name_of(pane)) + 1) % len(order)]
        if self.enlarged:
            self.set_enlarged(name)
        self.panes[name].setFocus()

    def take_keys(self) -> None:
        """Give the keyboard to the pane that had it last."""
        self._current.setFocus()

    def reset_view(self) -> None:
        """Fit all panes."""
        for pane in self.panes.values():
            pane.fit()
            pane.view_changed.emit()
        self.pane_3d.look_from("anterior")

    def link(self, other: VolumeViewer) -> ViewerLink:
        """Keep another viewer at the same place and zoom, until the link is ended."""
        made = ViewerLink(self, other)
        self._links.append(made)
        return made

    def picture(self, pane: str = "all", *, clean: bool = False, scale: int = 1) -> QImage:
        """Return what is seen as a picture.

        Parameters
        ----------
        pane : str
            ``axial``, ``sagittal``, ``coronal``, ``3d``, or ``all`` as they are arranged.
        clean : bool
            Without letters, crosshair, bars and texts.
        scale : int
            Pixels of the picture per pixel of the screen; lines and letters grow with it.
        """
        from sensiview.gui.viewer.pictures import viewer_picture

        return viewer_picture(self, pane, clean=clean, scale=scale)

    def state(self) -> dict[str, Any]:
        """Return cursor, options, zoom and place of every pane and the enlarged one, as JSON values."""
        return viewer_state(self)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave; what is missing or makes no sense stays as it is."""
        restore_state(self, state)

    def dispose(self) -> None:
        """Free graphics memory and end links; called before the viewer is deleted."""
        if self._disposed:
            return
        self._disposed = True
        self._take_over.end()
        self._waiting()
        for link in self._links:
            if Shiboken.isValid(link):
                link.end()
        for widget in self.widgets().values():
            widget.dispose()

    # napari takes over

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to import napari once the first slices are there."""
        super().showEvent(event)
        if self.choice.kind == "napari":
            self._take_over.begin()

    def hideEvent(self, event: QHideEvent) -> None:
        """Drop half-drawn measurements."""
        super().hideEvent(event)
        for pane in self.panes.values():
            pane.overlay.forget_draft()

    def event(self, event: QEvent) -> bool:
        """Free graphics memory when the viewer is deleted by Qt."""
        if event.type() == QEvent.Type.DeferredDelete:
            self.dispose()
        return super().event(event)

    def _failed(self, error: SensiViewError) -> None:
        self.tell(error.sentence)
        self.said.emit(error.sentence)

    def tell(self, sentence: str) -> None:
        """Show a sentence above the panes; an empty one takes it away."""
        self._notice.setText(sentence)
        self._notice.setVisible(bool(sentence))

    # Arrangement

    def widgets(self) -> dict[str, Pane | Pane3D]:
        """Return the four panes by name."""
        return {**self.panes, "3d": self.pane_3d}

    def _name_of(self, pane: Pane) -> str:
        return next(name for name, known in self.panes.items() if known is pane)

    def _set_current(self, pane: Pane) -> None:
        self._current = pane

    def _lay_out(self) -> None:
        for name, widget in self.widgets().items():
            widget.setVisible(self.enlarged in ("", name))
        for place in (0, 1):
            rows = [name for name, at in _PLACES.items() if at[0] == place]
            columns = [name for name, at in _PLACES.items() if at[1] == place]
            self._grid.setRowStretch(place, int(not self.enlarged or self.enlarged in rows))
            self._grid.setColumnStretch(place, int(not self.enlarged or self.enlarged in columns))
        self._grid.setSpacing(0 if self.enlarged else _GAP)
        self._place_colour_bar()

    def _place_colour_bar(self) -> None:
        for name, pane in self.panes.items():
            pane.has_colour_bar = name == (self.enlarged or "sagittal")
            pane.overlay.update()
