"""Pictures of a PDF made small: Qt stores every picture as a JPEG of the highest quality, whatever is on it."""

from __future__ import annotations

import io
import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

# Pixels across: 180 per inch as the report prints them for photographs, 260 for drawings, whose lines stay sharp.
_PHOTOGRAPH, _DRAWING, _SAMPLE = 960, 1400, 320
_QUALITY = 75
_COLOURS = 256
_IMAGE = re.compile(rb"/Subtype\s*/Image\b")
_LENGTH = re.compile(rb"/Length (\d+) 0 R")
_STREAM = re.compile(rb">>\s*stream\r?\n")


def shrink_pictures(content: bytes) -> bytes:
    """Return a PDF as Qt writes it with smaller pictures; as it was where it is built in another way.

    A picture becomes a JPEG; a drawing, with large areas of few colours, the 256 nearest colours without loss.
    """
    start = content.rfind(b"startxref")
    said = content[start:].split()[1:2] if start >= 0 else []
    table = int(said[0]) if said and said[0].isdigit() else -1
    found = re.match(rb"xref\s+0 (\d+)\s+", content[table : table + 40]) if table >= 0 else None
    if found is None:
        return content
    first = table + found.end()
    entries = [content[first + 20 * k : first + 20 * k + 20] for k in range(int(found[1]))]
    if any(re.fullmatch(rb"\d{10} \d{5} [nf].{2}", entry, re.DOTALL) is None for entry in entries):
        return content
    places = {number: int(entry[:10]) for number, entry in enumerate(entries) if entry[17:18] == b"n"}
    order = sorted(places, key=places.__getitem__)
    ends = [places[number] for number in order[1:]] + [table]
    objects = {number: content[places[number] : end] for number, end in zip(order, ends, strict=True)}
    for number in order:
        _shrink(objects, number)
    parts, offset = [content[: places[order[0]]]], places[order[0]]
    for number in order:
        entries[number] = b"%010d" % offset + entries[number][10:]
        parts.append(objects[number])
        offset += len(objects[number])
    rest = content[first + 20 * len(entries) : start]
    return b"".join([*parts, content[table:first], *entries, rest, b"startxref\n%d\n%%%%EOF\n" % offset])


def _shrink(objects: dict[int, bytes], number: int) -> None:
    """Replace one object and the number that is its length, where it is a picture that gets smaller."""
    whole = objects[number]
    begin, told = _STREAM.search(whole), _LENGTH.search(whole)
    if begin is None or told is None or told.end() > begin.start():
        return
    head = whole[: begin.start()]
    length = int(told[1])
    if b"/DCTDecode" not in head or _IMAGE.search(head) is None or length not in objects:
        return
    size = int(objects[length].split()[3])
    stream, behind = whole[begin.end() : begin.end() + size], whole[begin.end() + size :]
    replaced = (_as_drawing if _is_drawing(stream) else _as_jpeg)(head, stream)
    if len(replaced[1]) >= size:
        return
    objects[number] = replaced[0] + begin[0] + replaced[1] + behind
    objects[length] = re.sub(rb"(obj\s+)\d+", rb"\g<1>%d" % len(replaced[1]), objects[length], count=1)


def _is_drawing(stream: bytes) -> bool:
    """Say which of both is shorter, on a small copy."""
    small = _scaled(stream, _SAMPLE).convert("RGB")
    return len(zlib.compress(_few_colours(small, 64).tobytes())) < len(_jpeg(small))


def _few_colours(picture: Image, count: int) -> Image:
    from PIL.Image import Dither, Quantize

    return picture.quantize(count, method=Quantize.FASTOCTREE, dither=Dither.NONE)


def _jpeg(picture: Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return buffer.getvalue()


def _as_jpeg(head: bytes, stream: bytes) -> tuple[bytes, bytes]:
    """Return the object's head and its content as a JPEG of good quality."""
    picture = _scaled(stream, _PHOTOGRAPH)
    return _sized(head, picture), _jpeg(picture)


def _as_drawing(head: bytes, stream: bytes) -> tuple[bytes, bytes]:
    """Return the object's head and its content as numbers of colours, which large areas make short."""
    picture = _scaled(stream, _DRAWING).convert("RGB")
    few = _few_colours(picture, _COLOURS)
    table = bytes(few.getpalette() or [])
    colours = b"[/Indexed /DeviceRGB %d <%s>]" % (len(table) // 3 - 1, table.hex().encode())
    head = re.sub(rb"/ColorSpace /Device\w+", b"/ColorSpace " + colours, _sized(head, picture))
    return head.replace(b"/DCTDecode", b"/FlateDecode"), zlib.compress(few.tobytes(), 9)


def _scaled(stream: bytes, width: int) -> Image:
    from PIL import Image as images

    picture: Image = images.open(io.BytesIO(stream))
    picture.draft("RGB", (width, 1))  # decodes no more pixels than are wanted
    if picture.width <= width:
        return picture
    return picture.resize((width, round(picture.height * width / picture.width)), images.Resampling.LANCZOS)


def _sized(head: bytes, picture: Image) -> bytes:
    head = re.sub(rb"/Width \d+", b"/Width %d" % picture.width, head)
    return re.sub(rb"/Height \d+", b"/Height %d" % picture.height, head)
