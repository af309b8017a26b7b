"""Where things lie: the user's folder, and the resources and plugins that come with SensiView."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# For users without a home folder: never made, so that nobody else can put settings or plugins there.
_NOWHERE = Path("/nonexistent/SensiView")
# Enough to notice a full disk.
_PROBE_BYTES = 4096


def home() -> Path:
    """Folder of settings, plugins, cache and log; ``SENSIVIEW_HOME`` overrides the system's place."""
    override = os.environ.get("SENSIVIEW_HOME")
    try:
        if override:
            return Path(override).expanduser().resolve()
        from platformdirs import user_data_path  # start-up: only when it is not overridden

        found = user_data_path("SensiView", appauthor=False)
    except RuntimeError:
        return _NOWHERE
    return found if found.is_absolute() else _NOWHERE  # "~" may stay where the user has no home


def home_problem() -> str:
    """Return why nothing can be kept in `home`, in a sentence that says what is lost; empty where it can.

    Makes the folder, and writes and removes a small file in it.
    """
    folder = home()
    try:
        if folder == _NOWHERE:
            raise OSError(0, "this user has no home folder")
        folder.mkdir(parents=True, exist_ok=True)
        _probe(folder)
    except OSError as error:
        return (
            f"Nothing is kept for the next start: '{folder}' can't be written ({error.strerror or error}). "
            "Preferences, recent projects, the window's layout, agreements to plugins and the log are lost when "
            "SensiView closes; projects elsewhere are not concerned. Make room or permit writing there, or name "
            "another folder in SENSIVIEW_HOME."
        )
    return ""


def _probe(folder: Path) -> None:
    path = folder / f".{secrets.token_hex(8)}.part"
    try:
        with path.open("xb") as stream:
            stream.write(bytes(_PROBE_BYTES))
    finally:
        path.unlink(missing_ok=True)


def name_a_home() -> None:
    """Give a user without a home folder one in the environment that does not exist.

    Libraries raise an error as soon as they are imported where neither HOME nor the system's list of users names one,
    as in a container that runs under any number. A folder that can't be made they do without.
    """
    try:
        Path.home()
    except RuntimeError:
        os.environ["USERPROFILE" if os.name == "nt" else "HOME"] = str(_NOWHERE.parent)


def lend_temporary_folder() -> None:
    """Name a folder of ours for temporary files where none of the system's can be written: /tmp may be full.

    Workers hear of it through the environment. Where ours can't be written either, what needs one says so.
    """
    import tempfile

    try:
        tempfile.gettempdir()
    except OSError:
        folder = home() / "temporary"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            return
        os.environ["TMPDIR"] = str(folder)


def lend_caches() -> None:
    """Name a temporary folder for the caches of libraries where the user's own can't be written.

    napari keeps the icons of its themes in one, and does not start without.
    """
    import atexit
    import shutil
    import tempfile

    from platformdirs import user_cache_path

    try:
        folder = user_cache_path()
        folder.mkdir(parents=True, exist_ok=True)
        _probe(folder)
    except (OSError, RuntimeError):
        try:
            lent = tempfile.mkdtemp(prefix="sensiview-cache-")
        except OSError:
            return  # what needs one says so
        atexit.register(shutil.rmtree, lent, ignore_errors=True)
        os.environ["XDG_CACHE_HOME"] = lent


def settings_file() -> Path:
    """The settings, JSON."""
    return home() / "settings.json"


def user_plugins() -> Path:
    """Folder that holds the user's own plugins, one folder each."""
    return home() / "plugins"


def log_file() -> Path:
    """The log of this user's windows and workers."""
    return home() / "log" / "sensiview.log"


def _bundled(name: str) -> Path:
    """A folder that lies inside the package in a wheel and beside it in a checkout."""
    inside = _PACKAGE / "_bundled" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def resources() -> Path:
    """Icons, help and samples that come with SensiView."""
    return _bundled("resources")


def bundled_plugins() -> Path:
    """The plugins that come with SensiView."""
    return _bundled("plugins")
