"""The contract between an analysis and everything around it; see `sensiview.analysis.contract`."""
