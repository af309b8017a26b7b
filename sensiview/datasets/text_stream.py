"""A text file of any encoding as a stream of UTF-8, from the first line of data on, without holding it."""

from __future__ import annotations

import codecs
import re
import threading
from itertools import islice
from pathlib import Path

from sensiview.datasets.encodings import guess_encoding, keeps_ascii
from sensiview.datasets.recognition import unreadable
from sensiview.errors import DataError

_CHUNK = 1 << 20
_BLANKS = re.compile(r"[^\S\r\n]+")
_BLANK_AT_LINE_ENDS = re.compile(r" (?=[\r\n])|(?<=[\r\n]) |^ ")
_LINE_END = re.compile(r"\r\n|\n|\r")


class Utf8Stream:
    """What pyarrow reads instead of the file itself.

    Parameters
    ----------
    path, encoding : Path, str
        The file and its encoding.
    skip_lines : int
        Physical lines to leave out at the beginning.
    ahead : int
        How many reads may be made before `consumed` is called; pyarrow reads 32 blocks ahead where it may.
    squeeze : bool
        Make one blank of any run of blanks and tabs, none at line ends: columns aligned with blanks.

    Attributes
    ----------
    position : int
        Bytes of the file read so far, for progress.
    error : DataError or None
        Why reading failed; kept because libraries wrap what a stream raises.

    Raises
    ------
    DataError
        While reading: bytes that do not belong to the encoding, NUL bytes, a drive that fails.
    """

    closed = False

    def __init__(
        self, path: Path, encoding: str, *, skip_lines: int = 0, squeeze: bool = False, ahead: int = 0
    ) -> None:
        self.position = 0
        self.error: DataError | None = None
        self._path = path
        self._encoding = encoding
        self._lines_before = 0
        self._permits = threading.Semaphore(ahead) if ahead else None
        self._squeeze = squeeze
        self._unfinished = ""  # the line that a chunk ends in, while squeezing
        self._ready = b""
        self._at_end = False
        self._file = path.open("rb", buffering=0)
        self._decoder = codecs.getincrementaldecoder(encoding)()
        try:
            self._skip(skip_lines)
        except BaseException:
            self._file.close()
            raise

    def readable(self) -> bool:
        """Return True: pyarrow asks."""
        return True

    def close(self) -> None:
        """Close the file."""
        self.closed = True
        self.consumed()
        self._file.close()

    def consumed(self) -> None:
        """Say that one block was used: one more may be read."""
        if self._permits:
            self._permits.release()

    def read(self, n: int = -1) -> bytes:
        """Return up to `n` bytes of UTF-8, all that is left for a negative `n`, nothing at the end."""
        if self._permits:
            # The time limit is a safeguard: blocks and chunks need not correspond one to one.
            self._permits.acquire(timeout=1.0)
        if self.closed:  # pyarrow reads in a thread of its own
            return b""
        while not self._at_end and (n < 0 or len(self._ready) < n):
            chunk = self._chunk()
            # ASCII is UTF-8 already; most tables are nothing else.
            if (
                keeps_ascii(self._encoding)
                and chunk.isascii()
                and not self._decoder.getstate()[0]
                and not self._squeeze
            ):
                self._check(chunk.count(0), chunk.count(b"\n"), chunk.count(b"\r"))
                self._ready += chunk
            else:
                self._ready += self._squeezed(self._decoded(chunk)).encode()
        if n < 0 or len(self._ready) <= n:
            out, self._ready = self._ready, b""
        else:
            out, self._ready = self._ready[:n], self._ready[n:]
        return out

    def _skip(self, n_lines: int) -> None:
        text = self._decoded(self._chunk())  # also takes a byte order mark off
        while n_lines:
            ends = [end.end() for end in islice(_LINE_END.finditer(text), n_lines)]
            # A \r at the very end may be half of a line end.
            if len(ends) == n_lines and (ends[-1] < len(text) or self._at_end):
                text = text[ends[-1] :]
                break
            if self._at_end:
                text = ""
                break
            text += self._decoded(self._chunk())
        self._ready = self._squeezed(text).encode()

    def _chunk(self) -> bytes:
        try:
            chunk = self._file.read(_CHUNK) or b""
        except OSError as error:
            raise self._failed(unreadable(self._path, error)) from None
        self.position += len(chunk)
        self._at_end = not chunk
        return chunk

    def _decoded(self, chunk: bytes) -> str:
        try:
            text = self._decoder.decode(chunk, final=self._at_end)
        except UnicodeDecodeError as error:
            raise self._failed(self._not_decodable(chunk, error)) from None
        self._check(text.count("\0"), text.count("\n"), text.count("\r"))
        return text

    def _check(self, n_nul: int, n_newlines: int, n_returns: int) -> None:
        self._lines_before += max(n_newlines, n_returns)
        if n_nul:
            raise self._failed(
                DataError(
                    f"{self._path} holds NUL bytes: it is damaged, or it is not {self._encoding} text. Choose the "
                    "encoding utf-16 if it comes from Excel's 'Unicode text'; otherwise export it again."
                )
            )

    def _squeezed(self, text: str) -> str:
        if not self._squeeze:
            return text
        text = self._unfinished + text
        cut = len(text) if self._at_end else text.rfind("\n") + 1
        self._unfinished = text[cut:]
        return squeezed(text[:cut])

    def _not_decodable(self, chunk: bytes, error: UnicodeDecodeError) -> DataError:
        start = max(error.start, 0)
        line = self._lines_before + max(chunk[:start].count(b"\n"), chunk[:start].count(b"\r")) + 1
        around = chunk[max(0, start - 4096) : start + 4096]
        guess = guess_encoding(around) if not around.isascii() else self._encoding
        better = (
            f"It looks like {guess}: choose that encoding" if guess != self._encoding else "Choose another encoding"
        )
        return DataError(
            f"{self._path} is not {self._encoding} text: line {line:,} holds bytes that mean nothing in it. {better}, "
            "or export the file as UTF-8."
        )

    def _failed(self, error: DataError) -> DataError:
        self.error = error
        return error


def squeezed(text: str) -> str:
    """Return whole lines with one blank for every run of blanks and tabs, and none where lines begin or end."""
    return _BLANK_AT_LINE_ENDS.sub("", _BLANKS.sub(" ", text))
