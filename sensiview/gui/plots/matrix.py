"""Second-order indices and other matrices as heat maps."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF

import numpy as np

from sensiview.analysis.items import Array, IndexTable, Item, Matrix
from sensiview.gui.number_text import short
from sensiview.gui.plots.arrangement import describe_row, natural, panel_labels, title_of, with_unit
from sensiview.gui.plots.heat_map import draw_heat_map
from sensiview.gui.plots.item_plot import Chooser, ItemPlot

