"""Why no window can be shown, told in a sentence: a missing system library, a display that does not answer.

Qt ends the process when it finds no way to draw (``qFatal``), and its own words name neither library nor package.
Nothing is checked beforehand, as the check would cost every good start: the sentence is found when Qt has given up,
in its last message before the end. This module imports Qt only inside functions, because without ``libEGL.so.1`` the
import itself fails.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sensiview.errors import UserError

if TYPE_CHECKING:
    from PySide6.QtCore import QtMsgType

A = TypeVar("A")

# System libraries that Qt's own folder does not bring, and the packages of Debian and Ubuntu that hold them.
_COMMON = {
    "libEGL.so.1": "libegl1", "libGL.so.1": "libgl1", "libGLX.so.0": "libglx0", "libOpenGL.so.0": "libopengl0",
    "libfontconfig.so.1": "libfontconfig1", "libfreetype.so.6": "libfreetype6", "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0", "libgthread-2.0.so.0": "libglib2.0-0", "libxkbcommon.so.0": "libxkbcommon0",
    "libz.so.1": "zlib1g", "libzstd.so.1": "libzstd1",
}  # fmt: skip
_X11 = {
    "libX11.so.6": "libx11-6", "libX11-xcb.so.1": "libx11-xcb1", "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb.so.1": "libxcb1", "libxcb-cursor.so.0": "libxcb-cursor0", "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0", "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0", "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0", "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0", "libxcb-sync.so.1": "libxcb-sync1", "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0", "libxcb-xkb.so.1": "libxcb-xkb1",
}  # fmt: skip
_WAYLAND = {
    "libwayland-client.so.0": "libwayland-client0", "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}  # fmt: skip
# What Qt has found another way around by itself: a locale that knows ASCII only, Wayland where X11 is there as well.
_SOLVED = ("Detected locale", "Could not load the Qt platform plugin", "Failed to create wl_display")
_PACKAGES = _COMMON | _X11 | _WAYLAND


def display_problem() -> str:
    """Return why no window could be shown here, as a sentence; empty where one can.

    Asks an X server whether it answers, and loads Qt: for commands that go on without a window.
    """
    if sys.platform in ("win32", "darwin"):
        return ""
    plugins = [
        plugin for plugin, variable in (("wayland", "WAYLAND_DISPLAY"), ("xcb", "DISPLAY")) if os.environ.get(variable)
    ]
    if not plugins:
        return "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)."
    if plugins == ["xcb"] and not _x_server_answers():
        return _silent_display(os.environ["DISPLAY"])
    try:
        with explained_imports():
            from PySide6 import QtWidgets  # noqa: F401 - whether it can be loaded
    except UserError as error:
        return error.sentence
    problems = [_library_problem(plugin) for plugin in plugins]
    return problems[0] if all(problems) else ""  # Qt takes the one that it can load


def _x_server_answers() -> bool:
    import ctypes

    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # what is missing is said when Qt looks for it
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    try:
        return not xcb.xcb_connection_has_error(connection)
    finally:
        xcb.xcb_disconnect(connection)


@contextmanager
def explained_imports() -> Iterator[None]:
    """Turn the failed import of a Qt module into the sentence that names the missing system library.

    Raises
    ------
    UserError
        A library is missing. Other import errors are passed on.
    """
    try:
        yield
    except ImportError as error:
        missing = _missing_in(str(error))
        if not missing:
            raise
        raise UserError(_missing_sentence(_all_missing(missing, _COMMON | _X11))) from error


def first_application(make: Callable[[], A], give_up: Callable[[str, str], None]) -> A:
    """Return the application that `make` makes; where Qt gives up, tell why and end the process with exit code 1.

    Parameters
    ----------
    give_up : callable
        Is told the sentence, and Qt's own words as details.
    """
    from PySide6.QtCore import QtMsgType, qInstallMessageHandler

    said: list[str] = []

    def listen(kind: QtMsgType, _context: Any, text: str) -> None:
        said.append(text)
        if kind == QtMsgType.QtFatalMsg:
            try:
                give_up(explanation(said), "\n".join(said))
            finally:
                os._exit(1)  # Qt would abort, with a core dump

    before = qInstallMessageHandler(listen)
    try:
        application = make()
    finally:
        qInstallMessageHandler(before)
    if sys.stderr is not None:
        sys.stderr.writelines(f"{text}\n" for text in said if not text.startswith(_SOLVED))
    return application


def explanation(said: Sequence[str]) -> str:
    """Return what Qt's messages mean, and what to do."""
    text = "\n".join(said)
    for plugin in re.findall(r'Could not load the Qt platform plugin "(\w+)', text):
        problem = _library_problem(plugin)
        if problem:
            return problem
    asked = re.search(r'Could not find the Qt platform plugin "([^"]*)"', text)
    if asked:
        return (
            f"The variable QT_QPA_PLATFORM asks for '{asked[1]}', which there is not. Unset it, or choose one of: "
            "xcb, wayland, offscreen."
        )
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        if os.environ.get(variable):
            return _silent_display(os.environ[variable], variable)
    return "Qt can't show windows here. Its reason is in the log."


def _silent_display(name: str, variable: str = "DISPLAY") -> str:
    return (
        f"The display '{name}' does not answer, so the window can't open (it is named by {variable}). Check that it is "
        "running and that you may use it; over SSH, connect with 'ssh -X'."
    )


def _library_problem(plugin: str) -> str:
    """Return the sentence on the libraries that a platform plugin of Qt misses; empty where it can be loaded."""
    from PySide6.QtCore import QLibraryInfo

    file = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath), "platforms", f"libq{plugin}.so")
    missing = _missing_in(_loader(str(file)))
    known = _COMMON | (_WAYLAND if plugin == "wayland" else _X11)
    return _missing_sentence(_all_missing(missing, known)) if missing else ""


def _loader(library: str) -> str:
    if sys.platform == "win32":
        return ""
    # Not ctypes.CDLL: in a frozen program it hides what the loader says.
    from _ctypes import dlopen

    try:
        dlopen(library, os.RTLD_LAZY)
    except OSError as error:
        return str(error)
    return ""


def _missing_in(text: str) -> str:
    """Return the library that the loader's words name as missing or unusable."""
    found = re.search(r"(\S+\.so[.\d]*): (cannot open shared object file|file too short|invalid ELF)", text)
    return Path(found[1]).name if found else ""


def _all_missing(first: str, known: dict[str, str]) -> list[str]:
    """Return the library that was named and every other that is missing: one installation for all of them."""
    inside = Path(getattr(sys, "_MEIPASS", "/nonexistent"))  # a frozen program brings some itself
    # One that only needs a missing library is not missing itself.
    others = [
        name for name in known if name != first and not (inside / name).exists() and _missing_in(_loader(name)) == name
    ]
    return [first, *others]


def _missing_sentence(missing: Sequence[str]) -> str:
    packages = sorted({_PACKAGES[name] for name in missing if name in _PACKAGES})
    several = len(missing) > 1
    what = f"The system librar{'ies' if several else 'y'} {', '.join(missing)} {'are' if several else 'is'} missing"
    how = (
        f"Install {'them' if several else 'it'} (Debian, Ubuntu: sudo apt install {' '.join(packages)})"
        if packages
        else f"Install the package{'s' if several else ''} of your system that hold{'' if several else 's'} "
        f"{'them' if several else 'it'}"
    )
    return f"{what}, so SensiView can't show windows or draw plots. {how}, then start SensiView again."
