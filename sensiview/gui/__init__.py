"""Everything that a user sees: all of Qt and pyqtgraph is in here and nowhere else."""

from sensiview.gui.lasting_singletons import keep_singletons_alive

# Before the first call into Qt; see there.
keep_singletons_alive()
