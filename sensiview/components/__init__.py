"""What comes with SensiView: every package, library and data set, its version, its licence, and the licence's text.

A packaged program knows it from ``licences/components.json`` in its resources, which the build writes with
`installed_distributions`, `interpreter`, `copy_texts` and `to_json`; in a checkout the environment is asked. Nothing
here is loaded before somebody wants to read it.
"""

from __future__ import annotations

from sensiview.components.bundle import bundled, copy_texts, licence_text, text_files
from sensiview.components.environment import installed_distributions, interpreter, licence_files, licence_of
from sensiview.components.record import Component, Kind, from_json, to_json
from sensiview.components.sample_data import data_components

__all__ = [
    "Component",
    "Kind",
    "bundled",
    "copy_texts",
    "data_components",
    "from_json",
    "installed_distributions",
    "interpreter",
    "licence_files",
    "licence_of",
    "licence_text",
    "text_files",
    "to_json",
]
