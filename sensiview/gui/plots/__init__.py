"""Plots: one view per kind of result item, the same in the window and in exported files."""

from sensiview.gui.plots.drawing import draw_item, plot_for

__all__ = ["draw_item", "plot_for"]
