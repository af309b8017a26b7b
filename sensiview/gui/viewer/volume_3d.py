"""The fourth pane: the volume from any side, with the overlay in it. It is filled after the slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QActionGroup, QColor, QImage, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.icons import icon
from sensiview.gui.number_text import short
from sensiview.gui.viewer.axes_cross import AxesCross
from sensiview.gui.viewer.canvas_choice import Kind
from sensiview.gui.viewer.scene import DisplayGrid, Scene
from sensiview.gui.viewer.volume_bricks import Brick, Rendering, make_bricks

RENDERINGS: dict[Rendering, str] = {
    "attenuated_mip": "Maximum with depth",
    "mip": "Maximum intensity",
    "translucent": "Translucent",
    "iso": "Surface",
}
CUTS = {"": "Nothing cut", "sagittal": "Cut sagittally", "coronal": "Cut coronally", "axial": "Cut axially"}
# View direction and up, in (superior, anterior, right).
SIDES: dict[str, tuple[str, tuple[int, int, int], tuple[int, int, int]]] = {
    "anterior": ("From the front", (0, -1, 0), (1, 0, 0)),
    "posterior": ("From behind", (0, 1, 0), (1, 0, 0)),
    "left": ("From the left", (0, 0, 1), (1, 0, 0)),
    "right": ("From the right", (0, 0, -1), (1, 0, 0)),
    "superior": ("From above", (-1, 0, 0), (0, 1, 0)),
    "inferior": ("From below", (1, 0, 0), (0, 1, 0)),
}
# A cube of 128 voxels an edge turns at a few pictures a second without a graphics card.
_MOST_VOXELS = 128
_WAIT_MS = 250  # after the latest change, so that dragging the crosshair is not slowed down
_GROUND = QColor("#000000")


class Pane3D(QWidget):
    """Shows the lowest underlay and the overlays of a scene from any side.

    Signals
    -------
    enlarge_asked()
        Double click.
    """

    enlarge_asked = Signal()

    def __init__(self, scene: Scene, kind: Kind, sentence: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("viewer_3d")
        self.setAccessibleName("3-D view")
        self.setMinimumSize(120, 120)
        self.scene = scene
        self.rendering: Rendering = "attenuated_mip"
        self.cut = ""
        self._side = "anterior"
        self._kind: Kind | None = kind
        self._volume: Any = None
        self._bricks: list[Brick] = []
        self._ground: Any = None  # the array whose brick is shown
        self._aimed_at: DisplayGrid | None = None
        self._dirty = True
        self._text = sentence or "3-D view: not loaded yet"
        self._forget: Callable[[], None] = lambda: None
        self._axes = AxesCross(self)
        self._button = self._make_button()
        self._button.setVisible(kind == "napari")
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_WAIT_MS)
        self._later.timeout.connect(self.load)
        # Drawing the volume takes up to half a second without a graphics card: once, when the crosshair rests.
        self._cut_later = QTimer(self)
        self._cut_later.setSingleShot(True)
        self._cut_later.setInterval(_WAIT_MS)
        self._cut_later.timeout.connect(self._apply_cut)
        for signal in (scene.layers_changed, scene.look_changed, scene.grid_changed):
            signal.connect(self._outdated)
        scene.cursor_changed.connect(self._cursor_moved)

    def set_kind(self, kind: Kind, sentence: str = "") -> None:
        """Say whether there is a canvas for volumes now."""
        self._kind = kind
        self._text = sentence or self._text
        self._button.setVisible(kind == "napari")
        self._outdated()
        self.update()

    @property
    def caption(self) -> str:
        """What must be known of the picture: that its voxels are larger than those of the volume; else empty."""
        steps = [max(brick.scale) for brick in self._bricks if brick.is_ground]
        least = max(self.scene.grid.spacing)
        return f"reduced to {short(steps[0], 3)} mm" if steps and steps[0] > 1.01 * least else ""

    @property
    def is_loaded(self) -> bool:
        """Whether what is shown is up to date."""
        return self._volume is not None and not self._dirty

    def set_rendering(self, rendering: Rendering) -> None:
        """Add up the rays in another way."""
        self.rendering = rendering
        self._outdated()

    def set_cut(self, cut: str) -> None:
        """Cut the anatomy at the crosshair: ``sagittal``, ``coronal``, ``axial`` or nothing."""
        self.cut = cut
        self._apply_cut()

    def look_from(self, side: str) -> None:
        """Turn the volume: ``anterior``, ``left``, ``superior``, ..."""
        self._side = side
        if self._volume is None:
            return
        _, direction, up = SIDES[side]
        self._aim()
        self._volume.look_from(direction, up)
        self._axes.update()

    def load(self) -> None:
        """Make the bricks in the background and show them; only when the pane is seen."""
        self._later.stop()
        if not self.isVisible() or self._kind != "napari" or not self.scene.layers or not self._dirty:
            return
        self._dirty = False
        self._text = "The 3-D view is being loaded…"
        layers, grid, rendering = self.scene.layers, self.scene.grid, self.rendering
        ground = next((layer.array for layer in layers if layer.role == "underlay"), None)
        self._forget()
        self._forget = run_in_background(
            lambda: make_bricks(layers, grid, rendering, _MOST_VOXELS),
            lambda bricks: self._show(bricks, ground),
            self._failed,
            owner=self,
        )

    def dispose(self) -> None:
        """Free the graphics memory; called before the pane is deleted."""
        self._later.stop()
        self._cut_later.stop()
        self._forget()
        if self._volume is not None:
            self._volume.dispose()

    @property
    def seen(self) -> Any:
        """The canvas where it shows the present volume; None before that, while another one is read."""
        return None if self._volume is None or self._volume.isHidden() else self._volume

    def picture(self) -> QImage:
        """Return what is seen."""
        return self._volume.picture() if self.seen is not None else self.grab().toImage()

    def draw(self, painter: QPainter, *, clean: bool, scale: float = 1.0) -> None:
        """Draw what is seen, `scale` times as large."""
        painter.save()
        painter.scale(scale, scale)
        box = QRectF(self.rect())
        painter.fillRect(box, _GROUND)
        if self.seen is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(box, self._volume.picture())
            if not clean:
                self._axes.draw(painter)
        else:
            self._draw_text(painter)
        painter.restore()

    def sizeHint(self) -> QSize:
        """Return the size of the other panes."""
        return QSize(420, 360)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground, and why nothing is shown."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), _GROUND)
        if self.seen is None:
            self._draw_text(painter)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fill the pane; what is seen grows with it."""
        before, now = event.oldSize(), event.size()
        if self._volume is not None:
            self._volume.setGeometry(self.rect())
            least = min(before.width(), before.height())
            if least > 0 and self.isVisible():
                self._volume.enlarge(min(now.width(), now.height()) / least)
        self._axes.setGeometry(self.rect())
        self._button.move(self.width() - self._button.sizeHint().width() - 6, 6)

    def showEvent(self, event: QShowEvent) -> None:
        """Load what changed while nobody looked."""
        super().showEvent(event)
        self._later.start()

    def _draw_text(self, painter: QPainter) -> None:
        painter.setPen(QColor("#a4acb9"))
        flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
        painter.drawText(QRectF(self.rect()).adjusted(24, 24, -24, -24), flags, self._text)

    def _make_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("viewer_3d_menu")
        button.setAccessibleName("3-D options")
        button.setToolTip("How the volume is drawn, cut and turned")
        # The ground is black in both themes.
        button.setIcon(icon("preferences", "#f2f4f7"))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for choices, now, chosen in ((RENDERINGS, self.rendering, self.set_rendering), (CUTS, self.cut, self.set_cut)):
            group = QActionGroup(menu)
            for key, text in cast("dict[str, str]", choices).items():
                action = menu.addAction(text)
                action.setCheckable(True)
                action.setChecked(key == now)
                action.setActionGroup(group)
                action.triggered.connect(lambda _=False, k=key, do=chosen: do(k))
            menu.addSeparator()
        for side, (text, *_) in SIDES.items():
            menu.addAction(text).triggered.connect(lambda _=False, k=side: self.look_from(k))
        button.setMenu(menu)
        button.resize(button.sizeHint())
        return button

    def _outdated(self, *_: object) -> None:
        self._dirty = True
        self._later.start()
        ground = next((layer.array for layer in self.scene.layers if layer.role == "underlay"), None)
        if self._volume is not None and ground is not self._ground:
            # Another volume: the one before must not be seen under its name, however long reading takes.
            self._volume.hide()
            self._axes.hide()
            self.update()

    def _cursor_moved(self) -> None:
        if self.cut and self._volume is not None:
            self._cut_later.start()

    def _failed(self, error: SensiViewError) -> None:
        self._text = f"The 3-D view could not be made: {error.sentence}"
        self.update()

    def _show(self, bricks: list[Brick], ground: Any) -> None:
        first, self._ground = self._volume is None, ground
        if first:
            from sensiview.gui.viewer.napari_canvas import NapariVolume

            self._volume = NapariVolume(self)
            self._volume.setGeometry(self.rect())
            self._volume.on_double_click = self.enlarge_asked.emit
            self._volume.turned.connect(self._axes.update)
            self._axes.raise_()
            self._button.raise_()
        self._bricks = bricks
        self._volume.show()
        self._axes.show()
        self._volume.show_bricks(bricks)
        self._apply_cut()
        if first:
            self.look_from(self._side)
        elif self._aimed_at != self.scene.grid:  # from the same side as the volume before
            self._aim()
        self._axes.update()

    def _aim(self) -> None:
        """Put the whole volume into the pane."""
        grid = self._aimed_at = self.scene.grid
        sizes = [n * mm for n, mm in zip(grid.shape, grid.spacing, strict=True)]
        r, a, s = grid.centre
        self._volume.aim((s, a, r), 0.85 * min(self.width(), self.height()) / max(sizes))

    def _apply_cut(self) -> None:
        if self._volume is None:
            return
        r, a, s = self.scene.cursor
        # What lies to the left, in front or above is taken away, so that one looks at the cut.
        normal = {"sagittal": (0, 0, 1), "coronal": (0, -1, 0), "axial": (-1, 0, 0)}.get(self.cut)
        ground = [brick.key for brick in self._bricks if brick.is_ground]
        planes = [] if normal is None else [{"position": (s, a, r), "normal": normal}]
        self._volume.cut(planes, ground)
