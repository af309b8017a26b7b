"""Which plugins the user agreed to: names with the hash of the exact content."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from sensiview import locations
from sensiview.errors import UserError
from sensiview.files import write_atomically

_FORMAT = 1


class Agreement(BaseModel):
    """One plugin the user agreed to run."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    title: str = ""
    version: str = ""
    agreed: str = ""  # time, ISO 8601, UTC


class _TrustFile(BaseModel):
    format: int = _FORMAT
    plugins: dict[str, Agreement] = {}


class TrustStore:
    """The file of agreements. Read at construction; a damaged file means that nothing is agreed to.

    Attributes
    ----------
    notice : str
        A sentence when the file could not be used, else empty.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or locations.home() / "trust.json"
        self.notice = ""
        self._newer = False
        self._agreements = self._read()

    def agreements(self) -> dict[str, Agreement]:
        """Return a copy of all agreements by plugin name."""
        return dict(self._agreements)

    def agreed(self, name: str) -> str | None:
        """Return the SHA-256 that the user agreed to for this name, or None."""
        agreement = self._agreements.get(name)
        return agreement.sha256 if agreement else None

    def agree(self, name: str, sha256: str, *, title: str = "", version: str = "") -> None:
        """Keep the user's agreement to this exact content.

        Raises
        ------
        UserError
            The file can't be written, or belongs to a newer SensiView.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._agreements = self._read() | {
            name: Agreement(sha256=sha256, title=title, version=version, agreed=now),
        }
        self._write()

    def withdraw(self, name: str) -> bool:
        """Forget the agreement; return whether there was one. Raises as `agree` does."""
        self._agreements = self._read()
        if self._agreements.pop(name, None) is None:
            return False
        self._write()
        return True

    def _read(self) -> dict[str, Agreement]:
        try:
            raw = json.loads(self.path.read_bytes())
            if isinstance(raw, dict) and isinstance(raw.get("format"), int) and raw["format"] > _FORMAT:
                self._newer = True
                self.notice = (
                    f"'{self.path}' was written by a newer SensiView, so no plugin of yours is loaded. "
                    "Update SensiView."
                )
                return {}
            return _TrustFile.model_validate(raw).plugins
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, ValidationError, RecursionError) as error:
            self.notice = (
                f"'{self.path}' can't be read ({type(error).__name__}), so no plugin of yours is loaded. "
                "Agree to your plugins again with 'sensiview plugins trust NAME'."
            )
            return {}

    def _write(self) -> None:
        if self._newer:
            raise UserError(f"'{self.path}' was written by a newer SensiView and is left as it is. Update SensiView.")
        content = _TrustFile(plugins=dict(sorted(self._agreements.items()))).model_dump_json(indent=2)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, lambda stream: stream.write(content.encode() + b"\n"))
        except OSError as error:
            raise UserError(
                f"Your agreement can't be kept: '{self.path}' can't be written ({error.strerror or error}). "
                "Check the folder's permissions, or set SENSIVIEW_HOME to another folder."
            ) from error
        self.notice = ""
