"""The layers of a scene as a list, topmost first: eye, name, colours; dragging changes the order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QEvent,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QIcon, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from sensiview.gui.icons import icon
from sensiview.gui.viewer.panels.colour_bars import bar_pixmap
from sensiview.gui.viewer.panels.linked_looks import LinkedLooks
from sensiview.gui.viewer.scene import Layer, Scene

_Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
_MIME = "application/x-sensiview-layer"
KEY = Qt.ItemDataRole.UserRole
LAYER = Qt.ItemDataRole.UserRole + 1
_EYE, _GAP, _BAR = 18, 6, QSize(44, 10)


class LayerModel(QAbstractListModel):
    """Rows are the scene's layers from the top down; a row's check state is its visibility."""

    def __init__(self, scene: Scene, links: LinkedLooks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene, self.links = scene, links
        self._keys: list[str] = []
        scene.layers_changed.connect(self._reset)
        scene.look_changed.connect(self._refresh)
        links.changed.connect(self._refresh)
        self._reset()

    def rowCount(self, parent: _Index = _NONE) -> int:
        """Return the number of layers."""
        return 0 if parent.isValid() else len(self._keys)

    def row_of(self, key: str) -> int:
        """Return the row of a layer, -1 when it is gone."""
        return self._keys.index(key) if key in self._keys else -1

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what the view and screen readers ask for."""
        if not index.isValid() or index.row() >= len(self._keys):
            return None
        layer = self._scene.layer(self._keys[index.row()])
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return layer.name
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if layer.look.visible else Qt.CheckState.Unchecked
        if role == KEY:
            return layer.key
        if role == LAYER:
            return layer
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = [
                f"{layer.name} ({layer.role})",
                layer.source,
                "Click the eye to hide or show; Alt+click shows it alone.",
            ]
            return "\n".join(line for line in lines if line)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{layer.name}, {layer.role}, {'shown' if layer.look.visible else 'hidden'}"
        return None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Rename a layer, or show and hide it."""
        if not index.isValid():
            return False
        key = self._keys[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole:
            self._scene.set_look(key, visible=Qt.CheckState(value) == Qt.CheckState.Checked)
            return True
        name = str(value).strip()
        if role == Qt.ItemDataRole.EditRole and name:
            from dataclasses import replace

            self._scene.set_layer(replace(self._scene.layer(key), name=name))
            return True
        return False

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Allow choosing, renaming, hiding and dragging."""
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        return (
            Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable
            | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsDragEnabled
        )  # fmt: skip

    def mimeTypes(self) -> list[str]:
        """Return the one type that is dragged: a layer's key."""
        return [_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Return the key of the dragged layer."""
        data = QMimeData()
        data.setData(_MIME, str(indexes[0].data(KEY)).encode())
        return data

    def supportedDropActions(self) -> Qt.DropAction:
        """Move only."""
        return Qt.DropAction.MoveAction

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: _Index) -> bool:
        """Move the layer; False, since the scene has already moved it and the view must remove nothing."""
        key = bytes(data.data(_MIME).data()).decode()
        if key in self._keys:
            below = row if row >= 0 else (parent.row() if parent.isValid() else len(self._keys))
            rest = [k for k in self._keys if k != key]
            self.move(key, below - (1 if self._keys.index(key) < below else 0), len(rest))
        return False

    def move(self, key: str, row: int, last: int | None = None) -> None:
        """Put a layer at a row, 0 on top."""
        last = len(self._keys) - 1 if last is None else last
        self._scene.move_layer(key, last - min(max(row, 0), last))

    def _reset(self) -> None:
        self.beginResetModel()
        self._keys = [layer.key for layer in reversed(self._scene.layers)]
        self.endResetModel()

    def _refresh(self, *_: object) -> None:
        if self._keys:
            self.dataChanged.emit(self.index(0), self.index(len(self._keys) - 1))


class _LayerDelegate(QStyledItemDelegate):
    """Draws eye, name, link and colour bar; a click on the eye hides, with Alt shows the layer alone."""

    def __init__(self, view: LayerList) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Return a row high enough for the eye."""
        return QSize(120, max(28, option.fontMetrics.height() + 12))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one row."""
        layer: Layer = index.data(LAYER)
        style = option.widget.style() if option.widget is not None else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        mode = QIcon.Mode.Selected if chosen else QIcon.Mode.Normal
        eye, name, bar, link = self._places(option.rect)
        icon("eye" if layer.look.visible else "eye_off").paint(painter, eye, mode=mode)
        painter.save()
        palette = option.palette
        painter.setPen(palette.highlightedText().color() if chosen else palette.text().color())
        if not layer.look.visible:
            painter.setOpacity(0.55)
        text = option.fontMetrics.elidedText(layer.name, Qt.TextElideMode.ElideMiddle, name.width())
        painter.drawText(name, int(Qt.AlignmentFlag.AlignVCenter), text)
        if layer.key in self._view.links:
            icon("link").paint(painter, link, mode=mode)
        painter.drawPixmap(bar, bar_pixmap(layer, _BAR))
        painter.restore()

    def editorEvent(
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: _Index
    ) -> bool:
        """Toggle by a click on the eye."""
        if isinstance(event, QMouseEvent) and self._places(option.rect)[0].adjusted(-4, -6, 4, 6).contains(
            event.position().toPoint()
        ):
            if event.type() == QEvent.Type.MouseButtonRelease:
                if event.modifiers() & Qt.KeyboardModifier.AltModifier:
                    self._view.solo(str(index.data(KEY)))
                else:
                    self._view.toggle(index)
            return True
        return False

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: _Index) -> None:
        """Edit the name where it stands."""
        editor.setGeometry(self._places(option.rect)[1].adjusted(-6, 2, 6, -2))

    @staticmethod
    def _places(rect: QRect) -> tuple[QRect, QRect, QRect, QRect]:
        middle = rect.center().y()
        eye = QRect(QPoint(rect.left() + _GAP, middle - _EYE // 2 + 1), QSize(_EYE, _EYE))
        bar = QRect(QPoint(rect.right() - _GAP - _BAR.width(), middle - _BAR.height() // 2 + 1), _BAR)
        link = QRect(QPoint(bar.left() - _GAP - 14, middle - 6), QSize(14, 14))
        name = QRect(eye.right() + _GAP, rect.top(), link.left() - eye.right() - 2 * _GAP, rect.height())
        return eye, name, bar, link


class LayerList(QListView):
    """The list of layers; Space hides and shows, F2 renames, Alt+Up and Alt+Down move."""

    def __init__(self, scene: Scene, links: LinkedLooks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("layer_list")
        self.setAccessibleName("Layers, topmost first")
        self.scene, self.links = scene, links
        self._before_solo: dict[str, bool] | None = None
        self.layers = LayerModel(scene, links, self)
        self.setModel(self.layers)
        self.setItemDelegate(_LayerDelegate(self))
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDropIndicatorShown(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed | QAbstractItemView.EditTrigger.DoubleClicked)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def current_key(self) -> str:
        """Return the key of the chosen layer; empty without one."""
        index = self.currentIndex()
        return str(index.data(KEY)) if index.isValid() else ""

    def choose(self, key: str) -> None:
        """Choose a layer."""
        row = self.layers.row_of(key)
        if row >= 0:
            self.setCurrentIndex(self.layers.index(row))

    def toggle(self, index: _Index) -> None:
        """Hide or show the layer of a row."""
        layer: Layer = index.data(LAYER)
        self.scene.set_look(layer.key, visible=not layer.look.visible)

    def solo(self, key: str) -> None:
        """Show a layer alone; a second time shows again what was shown before."""
        others = {layer.key: layer.look.visible for layer in self.scene.layers}
        alone = others.get(key, False) and sum(others.values()) == 1
        if alone and self._before_solo is not None:
            wanted = self._before_solo
            self._before_solo = None
        else:
            self._before_solo = others
            wanted = {k: k == key for k in others}
        for k, visible in wanted.items():
            if k in others:
                self.scene.set_look(k, visible=visible)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Toggle, solo and move by keys."""
        key = self.current_key()
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        row = self.layers.row_of(key)
        if key and event.key() == Qt.Key.Key_Space:
            if alt:
                self.solo(key)
            else:
                self.toggle(self.currentIndex())
        elif key and alt and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.layers.move(key, row + (1 if event.key() == Qt.Key.Key_Down else -1))
            self.choose(key)
        elif key and event.key() == Qt.Key.Key_Delete:
            self.scene.remove_layer(key)
        else:
            super().keyPressEvent(event)
