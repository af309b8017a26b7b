"""Version, what this machine is, and the licences of everything that comes with SensiView."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path

import PySide6
from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sensiview import __version__, locations
from sensiview.components import Component, bundled
from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.dialogs.component_list import ComponentList
from sensiview.gui.dialogs.layout import close_button, dialog_column, label, named
from sensiview.gui.icons import application_pixmap
from sensiview.installation import installed_as

# The main packages, with what they are for; the rest stands on the second page.
_PACKAGES = {
    "PySide6": "the window (Qt for Python)",
    "pyqtgraph": "plots",
    "napari": "the volume viewer, with vispy",
    "torch": "networks",
    "torchvision": "architectures for images",
    "numpy": "arrays",
    "scipy": "distributions, Sobol' sequences",
    "pandas": "tables",
    "SALib": "reference for sensitivity indices",
    "nibabel": "NIfTI and MGH volumes",
    "nilearn": "resampling, MNI152 templates",
    "pydicom": "DICOM",
    "opencv-python-headless": "videos, with FFmpeg",
    "pydantic": "parameters and records",
    "safetensors": "weights without code",
    "jinja2": "reports",
}
_LGPL = (
    "Qt and PySide6 (Qt for Python) are used under the GNU Lesser General Public License, version 3. Their libraries "
    "lie unchanged and replaceable in {folder}: put your own build of the same version there, and SensiView runs with "
    "it. Their source code is at https://download.qt.io."
)
_NVIDIA = (
    "NVIDIA's CUDA libraries, with which PyTorch computes on NVIDIA cards, come under NVIDIA's own licence: see the "
    "components called nvidia-..."
)
_REST = "The licence texts of everything that comes with SensiView are on the page 'Components and licences'."


class AboutDialog(QDialog):
    """What this is, on what it stands, where it keeps things, and whose work under which licence is in it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = dialog_column(self, "about_dialog", "About SensiView")
        column.addLayout(self._heading())
        self._lines = [
            f"Python {platform.python_version()}, Qt {qVersion()}, {platform.platform()}",
            f"Installed: {installed_as()}",
            f"Settings, plugins and log: {locations.home()}",
        ]
        self.components: tuple[Component, ...] = ()
        self.list = ComponentList(self)
        self.tabs = QTabWidget(self)
        named(self.tabs, "about_tabs", "Pages")
        self.tabs.addTab(self._overview(), "SensiView")
        self.tabs.addTab(self.list, "Components and licences")
        column.addWidget(self.tabs, 1)
        box = close_button(self)
        copy = QPushButton("Copy", self)
        named(copy, "copy_versions_button", "Copy versions", "Copy the versions of everything, for a report")
        copy.setAutoDefault(False)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.versions()))
        box.addButton(copy, box.ButtonRole.ActionRole)
        column.addWidget(box)
        self.resize(1120, 680)
        run_in_background(bundled, self._fill, self._say, owner=self)

    def versions(self) -> str:
        """Return version, machine and every component, as text for a report."""
        components = [f"{c.name}  {c.version}  {c.licence}" for c in self.components if c.name != "sensiview"]
        return "\n".join([f"SensiView {__version__}", *self._lines, *components])

    def _heading(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(16)
        picture = QLabel(self)
        picture.setPixmap(application_pixmap(56, self.devicePixelRatioF()))
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(f"SensiView {__version__}", "heading", self))
        words.addWidget(label("Shows what a neural network is sensitive to. BSD-3-Clause.", "muted", self))
        row.addWidget(picture)
        row.addLayout(words, 1)
        return row

    def _overview(self) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 12, 0, 0)
        column.setSpacing(12)
        machine = label("\n".join(self._lines), "", page, name="about_machine")
        machine.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(machine)
        self.packages = QTreeWidget(page)
        named(self.packages, "about_packages", "Main packages and their licences")
        self.packages.setHeaderLabels(["Package", "Version", "For", "Licence"])
        self.packages.setRootIsDecorated(False)
        for section in range(3):
            self.packages.header().setSectionResizeMode(section, QHeaderView.ResizeMode.ResizeToContents)
        self.packages.header().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self.packages.setMinimumHeight(180)
        column.addWidget(self.packages, 1)
        self.notes = label("", "muted", page, name="about_licences")
        self.notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.notes)
        return page

    def _fill(self, components: Sequence[Component]) -> None:
        self.components = tuple(components)
        by_name = {component.name.lower(): component for component in components}
        self.packages.clear()
        for package, purpose in _PACKAGES.items():
            found = by_name.get(package.lower())
            version, licence = (found.version, found.licence) if found is not None else ("not installed", "")
            row = QTreeWidgetItem([package, version, purpose, licence])
            row.setToolTip(3, licence)
            self.packages.addTopLevelItem(row)
        nvidia = any(name.startswith("nvidia-") for name in by_name)
        folder = Path(PySide6.__file__).parent
        self.notes.setText("\n".join(filter(None, [_LGPL.format(folder=folder), _NVIDIA if nvidia else "", _REST])))
        self.list.show_components(components)

    def _say(self, error: SensiViewError) -> None:
        self.notes.setText(error.sentence)
        self.list.count.setText(error.sentence)
