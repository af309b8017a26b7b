"""The viewer with everything around it: what a tab of the window shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from sensiview.analysis.items import FieldMap
from sensiview.datasets.volume import Volume
from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.key_bindings import notifier
from sensiview.gui.viewer.panels.buttons import arrow_button
from sensiview.gui.viewer.panels.case_list import Thumbnails
from sensiview.gui.viewer.panels.commands import WorkbenchCommands, command_of, tip
from sensiview.gui.viewer.panels.opening import Case, Opened, is_quick, open_case
from sensiview.gui.viewer.panels.pane_menu import show_pane_menu
from sensiview.gui.viewer.panels.pictures import PictureTools
from sensiview.gui.viewer.panels.readout import Readout
from sensiview.gui.viewer.panels.remembered import RememberedLooks
from sensiview.gui.viewer.panels.side_column import SideColumn
from sensiview.gui.viewer.scene import DisplayGrid
from sensiview.gui.viewer.view_history import ViewHistory
from sensiview.gui.viewer.viewer import VolumeViewer

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.datasets.atlas import Atlas

# Width of the panels by that of the workbench.
_SIDES = ((800, 264), (1500, 384), (1 << 24, 420))


class ViewerWorkbench(QWidget):
    """Panes in the middle, panels beside them, the read-out below.

    Signals
    -------
    case_changed(int)
        The case of this index is shown.
    shown()
        What was asked for is on the screen.
    problem(object)
        A `SensiViewError` for the user.
    """

    case_changed = Signal(int)
    shown = Signal()
    problem = Signal(object)

    def __init__(self, parent: QWidget | None = None, *, canvas: str = "") -> None:
        super().__init__(parent)
        self.setObjectName("viewer_workbench")
        self.setAccessibleName("Volume viewer with panels")
        self.viewer = VolumeViewer(parent=self, canvas=canvas)
        self.scene = self.viewer.scene
        self.side = SideColumn(self.scene, self)
        self.readout = Readout(self.scene, self)
        self.history = ViewHistory(self.scene, self)
        self.commands = WorkbenchCommands(self)
        self.pictures = PictureTools(self)
        self._looks = RememberedLooks()
        self._atlases: list[Atlas] = []
        self._open_case: Callable[[int], Volume | Case] | None = None
        self._forget: Callable[[], None] | None = None
        self._sized = False
        self._title = ElidedLabel(parent=self, mode=Qt.TextElideMode.ElideMiddle)
        self._title.setObjectName("viewer_title")
        self._title.setProperty("role", "subheading")
        self._notice = QLabel(self)
        self._notice.setObjectName("workbench_notice")
        self._notice.setProperty("role", "warning")
        self._notice.setWordWrap(True)
        self._notice.setTextFormat(Qt.TextFormat.PlainText)
        self._notice.setContentsMargins(10, 0, 10, 4)
        self._notice.hide()
        self._arrange()
        self.viewer.menu_asked.connect(lambda at, pane: show_pane_menu(self, at, pane))
        self.side.cases.case_wanted.connect(self._case_wanted)
        self.side.atlas.atlas_added.connect(self._keep_atlas)
        for arrived in (self.side.go_to.arrived, self.side.atlas.arrived):
            arrived.connect(self.viewer.take_keys)
        for panel in (self.side.go_to, self.side.atlas, self.side.regions, self.side.measurements, self.pictures):
            panel.problem.connect(self.problem)

    # What others call

    def show_volume(
        self,
        volume: Volume,
        *,
        title: str = "",
        overlays: Sequence[tuple[str, FieldMap]] = (),
        atlas: Atlas | None = None,
        regions: pd.DataFrame | None = None,
    ) -> None:
        """Show a volume with maps over it; looks that the user chose go on where names are the same.

        What must be interpolated is made in the background; `shown` tells when it is there.

        Parameters
        ----------
        overlays : sequence of (str, FieldMap)
            Name and map, lowest first.
        atlas : Atlas, optional
            Stays for the volumes that follow, where it fits.
        regions : DataFrame, optional
            Table of regions of a run; without it the table is computed from the maps.
        """
        self.show_case(Case(volume, title, tuple(overlays), atlas, regions))

    def show_case(self, case: Case) -> None:
        """Show a volume, its maps, atlas and table; see `show_volume`."""
        self._cancel()
        atlases = list(self._atlases)
        try:
            if is_quick(case) and not atlases:
                self._take(case, open_case(case))
                return
        except SensiViewError as error:
            self._failed(error)
            return
        self._title.setText(f"{case.title or case.volume.name} …")
        self._forget = run_in_background(
            lambda: open_case(case, atlases), lambda opened: self._take(case, opened), self._failed, owner=self
        )

    def set_cases(
        self,
        names: Sequence[str],
        classes: Sequence[str] = (),
        thumbnails_provider: Thumbnails | None = None,
        open_case: Callable[[int], Volume | Case] | None = None,
        *,
        groups: Sequence[str] = (),
    ) -> None:
        """Offer a cohort; none of it is opened until a case is chosen.

        Parameters
        ----------
        names, classes, groups : sequence of str
            One per case; classes and groups may be empty.
        thumbnails_provider : callable, optional
            Index to a small picture; called in a background thread.
        open_case : callable
            Index to a `Volume`, or to a `Case` with its own maps; called in a background thread.
        """
        self._open_case = open_case
        self.side.cases.set_cases(names, classes, groups, thumbnails_provider)
        several = len(names) > 1
        self.side.show_cases(on=several)
        for widget in self._steps:
            widget.setVisible(several)
        if several:
            self.side.open_tab("cases")

    def set_classes(self, classes: Sequence[str]) -> None:
        """Name the classes of the cohort anew; what is shown stays."""
        self.side.cases.set_classes(classes)

    def clear(self) -> None:
        """Show nothing: another cohort comes, and nobody may read the picture of the one before under its name."""
        self._cancel()
        self._atlases = []
        self.set_cases(())
        self.scene.set_measurements(())
        self.side.regions.show_result(None)
        self.scene.show(DisplayGrid((1, 1, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)), ())
        self.history.clear()
        self._title.setText("")
        self.say("")

    def choose_case(self, index: int) -> None:
        """Open a case of the list."""
        self.side.cases.choose(index)

    def state(self) -> dict[str, Any]:
        """Return sizes, open tab, the panels' and the viewer's state as JSON values."""
        return {
            "splitter": self._splitter.sizes() if self._sized else [],
            "side": self.side.state(),
            "side_hidden": self.side.isHidden(),
            "viewer": self.viewer.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave; what makes no sense is left out."""
        sizes = state.get("splitter")
        if isinstance(sizes, list) and len(sizes) == 2 and all(isinstance(s, int) and s > 0 for s in sizes):
            self._splitter.setSizes(sizes)
            self._sized = True
        if isinstance(state.get("side"), Mapping):
            self.side.restore(state["side"])
        if isinstance(state.get("side_hidden"), bool):
            self.side.setHidden(state["side_hidden"])
        if isinstance(state.get("viewer"), Mapping):
            self.viewer.restore(state["viewer"])

    def say(self, sentence: str) -> None:
        """Show a sentence above the panes; empty takes it away."""
        self._notice.setText(sentence)
        self._notice.setVisible(bool(sentence))

    # Keys

    def event(self, event: QEvent) -> bool:
        """Claim our keys before the window's menus do: Ctrl+Z in here is about the view."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and command_of(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Obey a key that no pane and no field had a use for."""
        command = command_of(event)
        if command:
            self.commands.run(command)
            event.accept()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Give the panels their width."""
        super().showEvent(event)
        self._divide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the panels more width in a larger window, until the user has chosen one."""
        super().resizeEvent(event)
        self._divide()

    def _divide(self) -> None:
        if not self._sized and self.isVisible():
            side = next(side for widest, side in _SIDES if self.width() < widest)
            side = max(side, self.side.minimumSizeHint().width())
            self._splitter.setSizes([self.width() - side, side])

    def _divided(self) -> None:
        self._sized = True

    # Cases

    def _case_wanted(self, index: int) -> None:
        provider = self._open_case
        self.case_changed.emit(index)
        if provider is None:
            return
        self._cancel()
        name = self.side.cases.model.names[index]
        self._title.setText(f"{name} …")

        def read() -> tuple[Case, Opened]:
            found = provider(index)
            case = found if isinstance(found, Case) else Case(found, name)
            return case, open_case(case, atlases)

        atlases = list(self._atlases)
        self._forget = run_in_background(read, lambda both: self._take(*both), self._failed, owner=self)

    def _take(self, case: Case, opened: Opened) -> None:
        self._forget = None
        self._looks.learn(self.scene)
        if case.atlas is not None:
            self._keep_atlas(case.atlas)
        layers = self._looks.dressed(opened.layers)
        self.scene.set_measurements(())
        self.side.regions.show_result(None)
        self.scene.show(opened.grid, layers, title=opened.title, to_file_voxel=opened.to_file_voxel)
        self.side.regions.show_result(case.regions)
        self.history.clear()
        self._title.setText(opened.title)
        self.say(" ".join([*case.volume.notes, *(problem.sentence for problem in opened.problems)]))
        self.shown.emit()

    def _failed(self, error: SensiViewError) -> None:
        self._forget = None
        # What is on the screen is still the volume before: its name must stand above it.
        self._title.setText(self.scene.title)
        self.say(error.sentence)
        self.problem.emit(error)

    def _cancel(self) -> None:
        if self._forget is not None:
            self._forget()
            self._forget = None

    def _keep_atlas(self, atlas: Atlas) -> None:
        self._atlases = [known for known in self._atlases if known.name != atlas.name] + [atlas]

    def _show_keys(self) -> None:
        for button, name in zip(self._steps, ("previous_case", "next_case"), strict=True):
            button.setToolTip(tip(name))

    def _arrange(self) -> None:
        commands = self.commands
        before = arrow_button(
            self,
            "header_previous_case",
            Qt.ArrowType.LeftArrow,
            "Previous case",
            self.commands.previous_case,
        )
        after = arrow_button(self, "header_next_case", Qt.ArrowType.RightArrow, "Next case", commands.next_case)
        self._steps = (before, after)
        notifier.changed.connect(self._show_keys)
        self._show_keys()
        top = QHBoxLayout()
        top.setContentsMargins(8, 2, 4, 2)
        top.setSpacing(2)
        for widget in self._steps:
            widget.hide()
            top.addWidget(widget)
        top.addWidget(self._title, 1)
        for button in self.pictures.buttons():
            top.addWidget(button)
        self._splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self._splitter.setObjectName("viewer_splitter")
        self._splitter.addWidget(self.viewer)
        self._splitter.addWidget(self.side)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setCollapsible(0, False)
        self._splitter.splitterMoved.connect(self._divided)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        # Over the whole width, or half of the tools would hide behind an arrow.
        column.addWidget(self.viewer.tool_bar)
        column.addWidget(self._notice)
        column.addWidget(self._splitter, 1)
        column.addWidget(self.readout)
