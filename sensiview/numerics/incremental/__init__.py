"""Exact incremental inference for inputs that change in one region; whole inference where that is not possible."""
