"""Which encoding a text file has: byte order marks, UTF-8, UTF-16, and an educated guess for the rest."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path

_VALIDATED = 64 << 20  # as far as a file is checked to be UTF-8 before it is read
_SAMPLE = 256 << 10
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What spreadsheets write in practice; the most frequent first, it wins where several fit equally well.
_CANDIDATES = (
    "cp1252", "cp1250", "cp1251", "cp932", "gb18030", "big5", "cp949", "cp1253", "cp1254", "cp1255", "cp1256",
    "cp1257", "koi8_r", "mac_roman", "cp850",
)  # fmt: skip
_WESTERN = frozenset("äöüßÄÖÜéèêëàâçîïìòôûùñáíóúåæøÅÆØãõœŒÉÈÊÀÂÇÎÔÑÁÍÓÚÃÕ€°ºª¡¿µ±²³¹×÷·–—‘’‚“”„‰§½¼¾«»©®£¥¢†…\xa0")
# Characters beyond ASCII that occur in the languages an encoding was made for.
_EXPECTED = {
    "cp1252": _WESTERN,
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
    "cp1250": frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽőűŐŰöüäëâăîşţđĐ°µ±–„”"),
    "cp1254": frozenset("ğışİŞĞçöüÇÖÜâîû°µ±–“”"),
    "cp1257": frozenset("āčēģīķļņšūžąęėįųĀČĒĢĪĶĻŅŠŪŽĄĘĖĮŲõäöüÕÄÖÜ°µ±–„“"),
}
# Encodings in which bytes below 128 mean what they mean in ASCII, wherever they stand.
_ASCII_BASED = frozenset(
    codecs.lookup(name).name
    for name in ("utf-8", "utf-8-sig", "ascii", "latin-1", "iso8859-15", "cp850", "koi8_r", "mac_roman", "cp874")
) | {f"cp125{i}" for i in range(9)}


def keeps_ascii(encoding: str) -> bool:
    """Whether pure ASCII bytes are the same text in this encoding and in UTF-8."""
    return codecs.lookup(encoding).name in _ASCII_BASED


def detect_encoding(path: Path) -> str:
    """Return the name of the encoding of a text file, from its beginning.

    A byte order mark decides; then valid UTF-8 (the first 64 MiB are checked); then zeros at every second byte
    (UTF-16 without a mark); then the statistics of charset-normalizer over the lines that are not ASCII.

    Raises
    ------
    OSError
        The file can't be read.
    """
    with path.open("rb") as stream:
        head = stream.read(_SAMPLE)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return name
        zeros_even, zeros_odd = head[::2].count(0), head[1::2].count(0)
        if max(zeros_even, zeros_odd) > len(head) // 4:
            return "utf-16-le" if zeros_odd > zeros_even else "utf-16-be"
        stream.seek(0)
        foreign = _first_not_utf8(stream.read, _VALIDATED)
        if foreign is None:
            return "utf-8"
        stream.seek(max(0, foreign - _SAMPLE // 2))
        return guess_encoding(stream.read(_SAMPLE))


def _first_not_utf8(read: Callable[[int], bytes], limit: int) -> int | None:
    """Return the place of the first byte that is not UTF-8, None when there is none up to `limit`."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = 0
    while done < limit and (chunk := read(1 << 20)):
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            return done + error.start
        done += len(chunk)
    return None


def guess_encoding(sample: bytes) -> str:
    """Return the likeliest encoding of text that is not UTF-8.

    A table has few words, too few for the statistics of languages alone. So Western text is recognised by its
    letters first (cp1252: what Windows programs write in most of Europe and America); then charset-normalizer
    ranks the others, and where several fit equally the expected letters decide.
    """
    from charset_normalizer import from_bytes

    foreign = b"\n".join(line for line in sample.splitlines() if not line.isascii())[: 32 << 10]
    if _is_western(foreign):
        return "cp1252"
    matches = from_bytes(foreign, cp_isolation=list(_CANDIDATES), threshold=0.5, enable_fallback=False)
    best = matches.best()
    if best is None:
        return "cp1252" if _decoded(foreign, "cp1252") is not None else "latin-1"
    if best.encoding not in _EXPECTED:
        return str(best.encoding)
    near = [m for m in matches if m.encoding in _EXPECTED and m.chaos <= best.chaos + 0.1]
    return str(max(near, key=lambda m: (_expected_share(foreign, m.encoding), m.coherence)).encoding)


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return None


def _expected_share(data: bytes, encoding: str) -> float:
    """Share of the characters beyond ASCII that the encoding's languages really use."""
    beyond = [c for c in _decoded(data, encoding) or "" if not c.isascii()]
    return sum(c in _EXPECTED[encoding] for c in beyond) / len(beyond) if beyond else 0.0


def _is_western(data: bytes) -> bool:
    """Whether bytes read as cp1252 give Western words: known letters, not many, and no symbols inside words."""
    text = _decoded(data, "cp1252") or ""
    letters = [c for c in text if c.isalpha()]
    accented = sum(not c.isascii() for c in letters)
    in_words = re.search("[^\\W\\d_][¹²³ªº¿¡£€¢§°±½¼¾×÷«»©®¥†…][^\\W\\d_]", text)
    usual = accented <= max(3, 0.4 * len(letters))
    return _expected_share(data, "cp1252") == 1.0 and usual and in_words is None
