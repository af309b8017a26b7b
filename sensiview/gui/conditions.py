"""When a command can be used; each condition gives the sentence why it can't, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensiview.gui.session import Session


def _no_project(session: Session) -> str:
    return "" if session.project is not None else "Open or make a project first."


def _not_writable(session: Session) -> str:
    if session.project is None:
        return _no_project(session)
    return "The project is open for reading only." if session.project.read_only else ""


def _no_run(session: Session) -> str:
    return _no_project(session) or ("" if session.run else "Choose a run in the project tree first.")


def _no_result(session: Session) -> str:
    reason = _no_run(session)
    if reason:
        return reason
    return "" if session.run and session.run.state == "succeeded" else "This run has no result."


def _no_screening(session: Session) -> str:
    found = any(run.state == "succeeded" and "map_mu_star" in run.items for run in session.runs())
    return _no_project(session) or ("" if found else "Run Morris screening on images or volumes first.")


def _not_resumable(session: Session) -> str:
    reason = _not_writable(session) or _no_run(session)
    if reason:
        return reason
    resumable = session.run and session.run.state in ("interrupted", "stopped", "failed")
    return "" if resumable else "Only an interrupted, stopped or failed run can be resumed."


def _not_extendable(session: Session) -> str:
    reason = _not_writable(session) or _no_result(session)
    if reason or session.run is None:
        return reason
    run = session.run
    known = run.kind == "analysis" and run.analysis in session.catalogue
    return "" if known and session.catalogue[run.analysis].extendable else "This kind of run can't be extended."


def _no_data(session: Session) -> str:
    return _not_writable(session) or ("" if session.dataset else "Import a data set first.")


def _no_volumes(session: Session) -> str:
    reason = _no_data(session)
    if reason or session.dataset is None:
        return reason
    return "" if session.dataset.card.kind == "volumes" else "Choose a data set of volumes first."


def _nothing_to_train(session: Session) -> str:
    reason = _no_data(session)
    if reason or session.dataset is None:
        return reason
    return "" if session.dataset.card.target else "Choose the target column of the data set first."


def _nothing_selected(session: Session) -> str:
    chosen = session.dataset or session.model or session.run
    return _not_writable(session) or ("" if chosen else "Choose something in the project tree first.")


CONDITIONS: Mapping[str, Callable[[Session], str]] = {
    "always": lambda session: "",
    "project": _no_project,
    "writable": _not_writable,
    "entry": _nothing_selected,
    "dataset": _no_data,
    "trainable": _nothing_to_train,
    "volumes": _no_volumes,
    "run": _no_run,
    "rerun": lambda session: _not_writable(session) or _no_run(session),
    "result": _no_result,
    "screenings": _no_screening,
    "resumable": _not_resumable,
    "extendable": _not_extendable,
    "job": lambda session: "" if session.jobs.live or session.jobs.waiting else "Nothing is running.",
    "queue": lambda session: "" if session.jobs.paused and session.jobs.waiting else "No run waits to be started.",
    "undo": lambda session: "" if session.undo.canUndo() else "There is nothing to undo.",
    "redo": lambda session: "" if session.undo.canRedo() else "There is nothing to redo.",
}
