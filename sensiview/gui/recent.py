"""The projects that were opened lately; read before anything heavy is imported."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sensiview import locations

_KEPT = 12


@dataclass(frozen=True)
class RecentProject:
    """A project by its folder; `opened` is ISO 8601, UTC."""

    path: str
    title: str
    opened: str

    @property
    def missing(self) -> bool:
        """Whether the folder is not there (any more)."""
        return not Path(self.path).is_dir()

    def when(self) -> str:
        """Return when it was opened, as people say it."""
        try:
            opened = datetime.fromisoformat(self.opened)
        except ValueError:
            return ""
        days = (datetime.now(UTC).astimezone().date() - opened.astimezone().date()).days
        if days <= 0:
            return f"today, {opened.astimezone():%H:%M}"
        if days == 1:
            return "yesterday"
        return f"{days} days ago" if days < 7 else f"{opened.astimezone():%d %B %Y}".lstrip("0")


def _file() -> Path:
    return locations.home() / "recent.json"


def recent_projects() -> list[RecentProject]:
    """Return the projects, the latest first; empty when the list is unreadable: it is a convenience only."""
    try:
        entries = json.loads(_file().read_text(encoding="utf-8"))
        return [RecentProject(str(e["path"]), str(e["title"]), str(e["opened"])) for e in entries][:_KEPT]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def remember(path: Path, title: str) -> None:
    """Put a project at the top of the list."""
    text = str(path.resolve())
    opened = datetime.now(UTC).isoformat(timespec="seconds")
    _write([RecentProject(text, title, opened), *(p for p in recent_projects() if p.path != text)][:_KEPT])


def forget(path: str) -> None:
    """Take a project off the list; its folder stays as it is."""
    _write([p for p in recent_projects() if p.path != path])


def _write(projects: list[RecentProject]) -> None:
    from sensiview.files import write_atomically

    content = json.dumps([asdict(p) for p in projects], ensure_ascii=False, indent=1).encode("utf-8")
    try:
        _file().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(_file(), lambda stream: stream.write(content))
    except OSError:
        # A read-only home must not stop anybody from working; the list is then only not kept.
        return
