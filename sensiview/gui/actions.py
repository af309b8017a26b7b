"""The declared commands as Qt actions, kept enabled or disabled with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from sensiview.errors import SensiViewError, suggestion
from sensiview.gui.action_list import ACTIONS, ActionInfo
from sensiview.gui.conditions import CONDITIONS
from sensiview.gui.icons import icon
from sensiview.gui.key_bindings import keys_of, notifier, use_bindings, with_keys

if TYPE_CHECKING:
    from sensiview.gui.session import Session


class ActionSet(QObject):
    """The commands by key; `reasons` holds the sentence for each one that is disabled."""

    def __init__(
        self, session: Session, handlers: object, parent: QObject, infos: Iterable[ActionInfo] = ACTIONS
    ) -> None:
        super().__init__(parent)
        self._session = session
        self.infos = {info.key: info for info in infos}
        self._actions: dict[str, QAction] = {}
        self.reasons: dict[str, str] = {}
        for info in self.infos.values():
            self._actions[info.key] = self._make(info, getattr(handlers, info.handler))
        for signal in (
            session.project_changed, session.datasets_changed, session.models_changed, session.runs_changed,
            session.selection_changed, session.jobs.changed, session.undo.indexChanged,
        ):  # fmt: skip
            signal.connect(self.refresh)
        session.settings_changed.connect(lambda: use_bindings(session.settings.shortcuts))
        notifier.changed.connect(self._use_keys)
        use_bindings(session.settings.shortcuts)
        self._use_keys()

    def __getitem__(self, key: str) -> QAction:
        if key not in self._actions:
            raise SensiViewError(f"There is no command '{key}'.{suggestion(key, list(self._actions))}")
        return self._actions[key]

    def _make(self, info: ActionInfo, handler: Callable[[], None]) -> QAction:
        action = QAction(icon(info.icon) if info.icon else icon("chevron_right"), info.text, self)
        action.setObjectName(f"action_{info.key}")
        action.setStatusTip(info.tip)
        action.setCheckable(info.checkable)
        # The quit role lets macOS put it into the application menu; all others stay where they are declared.
        role = QAction.MenuRole.QuitRole if info.key == "quit" else QAction.MenuRole.NoRole
        action.setMenuRole(role)
        action.triggered.connect(lambda: self._trigger(handler))
        return action

    def _use_keys(self) -> None:
        """Give every command the keys that are in force now."""
        for key, info in self.infos.items():
            keys = keys_of(f"window.{key}", info.shortcuts)
            self._actions[key].setShortcuts([QKeySequence(text) for text in keys])
        self.refresh()

    def _trigger(self, handler: Callable[[], None]) -> None:
        with self._session.guard():
            handler()

    def refresh(self) -> None:
        """Ask every condition anew; the reason why a command is disabled is in its tool tip."""
        verdicts = {name: condition(self._session) for name, condition in CONDITIONS.items()}
        for key, info in self.infos.items():
            reason = verdicts[info.condition]
            self.reasons[key] = reason
            action = self._actions[key]
            action.setEnabled(not reason)
            title = with_keys(info.title, f"window.{key}", info.shortcuts)
            action.setToolTip(f"{title}\n{reason or info.tip}")
