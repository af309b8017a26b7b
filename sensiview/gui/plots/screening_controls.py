"""What is set up behind the button of a screening's plot: where the line lies, and what is drawn besides the dots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget, QWidgetAction

from sensiview.gui.plots.chooser_bar import ChooserBar

_SWITCHES = (
    ("intervals", "Intervals", "Draw the interval of both measures around each dot", False),
    ("names", "Names", "Write the names of the strongest factors", True),
    ("guides", "Lines of equal σ/μ*", "Draw the lines that part linear from non-linear effects", True),
)


class ScreeningButton(QToolButton):
    """A button with a small form; `choices` holds what the plot offers to choose from.

    Signals
    -------
    changed()
        Something else is to be drawn.
    share_changed()
        The line is to lie elsewhere.
    """

    changed = Signal()
    share_changed = Signal()

    def __init__(self, share: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText("Show")
        self.setObjectName("plot_screening")
        self.setAccessibleName("What is drawn, and where the line of no effect lies")
        self.setToolTip("Intervals, names, and where the line of no effect lies")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        # The field shows one decimal, the share itself keeps every digit: a dragged line must not jump.
        self._share = share
        self.choices = ChooserBar()
        self.choices.changed.connect(self.changed)
        form = QWidget()
        form.setMinimumWidth(250)
        column = QVBoxLayout(form)
        column.setContentsMargins(12, 10, 12, 10)
        column.addWidget(self.choices)
        label = QLabel("No effect below, of the largest μ*")
        self.spin = QDoubleSpinBox()
        self.spin.setObjectName("plot_no_effect")
        self.spin.setAccessibleName(label.text())
        self.spin.setRange(0.0, 100.0)
        self.spin.setDecimals(1)
        self.spin.setSuffix(" %")
        self.spin.setValue(100.0 * share)
        self.spin.valueChanged.connect(self._type)
        label.setBuddy(self.spin)
        column.addWidget(label)
        column.addWidget(self.spin)
        self.switches: dict[str, QCheckBox] = {}
        for key, text, tip, on in _SWITCHES:
            switch = QCheckBox(text)
            switch.setObjectName(f"plot_{key}")
            switch.setToolTip(tip)
            switch.setChecked(on)
            switch.toggled.connect(self.changed)
            column.addWidget(switch)
            self.switches[key] = switch
        menu = QMenu(self)
        action = QWidgetAction(menu)
        action.setDefaultWidget(form)
        menu.addAction(action)
        self.setMenu(menu)

    def share(self) -> float:
        """Return where the line lies, as a share of the largest mu_star."""
        return self._share

    def set_share(self, share: float) -> None:
        """Put the line elsewhere without saying so."""
        self._share = share
        self.spin.blockSignals(True)
        self.spin.setValue(100.0 * share)
        self.spin.blockSignals(False)

    def is_on(self, key: str) -> bool:
        """Say whether ``intervals``, ``names`` or ``guides`` are drawn."""
        return self.switches[key].isChecked()

    def state(self) -> dict[str, Any]:
        """Return everything as plain values."""
        switches = {key: switch.isChecked() for key, switch in self.switches.items()}
        return {"no_effect": self._share, **switches, **self.choices.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave, without saying so."""
        share = state.get("no_effect")
        if isinstance(share, int | float) and 0.0 <= share <= 1.0:
            self.set_share(float(share))
        self.choices.restore(state)
        for key, switch in self.switches.items():
            if isinstance(state.get(key), bool):
                switch.blockSignals(True)
                switch.setChecked(state[key])
                switch.blockSignals(False)

    def _type(self, percent: float) -> None:
        self._share = percent / 100.0
        self.share_changed.emit()
