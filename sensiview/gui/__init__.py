"""Everything that a user sees: all of Qt and pyqtgraph is in here and nowhere else."""
