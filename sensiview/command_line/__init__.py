"""The commands of ``sensiview``; see `sensiview.command_line.parser` for the list."""
