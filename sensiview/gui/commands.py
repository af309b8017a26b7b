"""What the declared commands do; see `sensiview.gui.action_list`."""

from __future__ import annotations

from sensiview.gui.entry_commands import EntryCommands
from sensiview.gui.run_commands import RunCommands
from sensiview.gui.view_commands import ViewCommands


class Commands(EntryCommands, RunCommands, ViewCommands):
    """All commands of the window."""
