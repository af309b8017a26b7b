"""Version, licences, and what this machine is."""

from __future__ import annotations

import platform
from importlib import metadata

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sensiview import __version__, locations
from sensiview.gui.dialogs.layout import close_button, dialog_column, label, named
from sensiview.gui.icons import application_pixmap

# What is shown, with what it is for; licences are read from the installed packages.
_PACKAGES = {
    "PySide6": "the window (Qt for Python)",
    "pyqtgraph": "plots",
    "torch": "networks",
    "torchvision": "architectures for images",
    "numpy": "arrays",
    "scipy": "distributions, Sobol' sequences",
    "pandas": "tables",
    "SALib": "reference for sensitivity indices",
    "pydantic": "parameters and records",
    "safetensors": "weights without code",
    "jinja2": "reports",
}


def licence_of(package: str) -> str:
    """Return the licence a package declares, in a few words."""
    info = metadata.metadata(package)
    fields = info.json
    declared = str(fields.get("license_expression") or "").strip()
    if declared:
        return declared
    named_ = [c.split(" :: ")[-1] for c in info.get_all("Classifier", []) if c.startswith("License :: ")]
    free_text = str(fields.get("license") or "").strip().splitlines()
    return ", ".join(named_) or (free_text[0][:60] if free_text else "see the package")


class AboutDialog(QDialog):
    """What this is, on what it stands, where it keeps things."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = dialog_column(self, "about_dialog", "About SensiView")
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
        column.addLayout(row)
        self._lines = [
            f"Python {platform.python_version()}, Qt {qVersion()}, {platform.platform()}",
            f"Settings, plugins and log: {locations.home()}",
        ]
        machine = label("\n".join(self._lines), "", self)
        machine.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(machine)
        tree = QTreeWidget(self)
        named(tree, "about_packages", "Packages and their licences")
        tree.setHeaderLabels(["Package", "Version", "For", "Licence"])
        tree.setRootIsDecorated(False)
        for package, purpose in _PACKAGES.items():
            try:
                values = [package, metadata.version(package), purpose, licence_of(package)]
            except metadata.PackageNotFoundError:
                values = [package, "not installed", purpose, ""]
            self._lines.append("  ".join((values[0], values[1], values[3])))
            row_item = QTreeWidgetItem(values)
            row_item.setToolTip(3, values[3])
            tree.addTopLevelItem(row_item)
        tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        tree.header().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        tree.setMinimumHeight(280)
        column.addWidget(tree, 1)
        box = close_button(self)
        copy = QPushButton("Copy", self)
        named(copy, "copy_versions_button", "Copy versions")
        copy.setAutoDefault(False)
        copy.clicked.connect(
            lambda: QGuiApplication.clipboard().setText("\n".join([f"SensiView {__version__}", *self._lines]))
        )
        box.addButton(copy, box.ButtonRole.ActionRole)
        column.addWidget(box)
        self.resize(680, 560)
