"""What is odd about one stack of slices, found in the headers alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sensiview.datasets.dicom_codecs import codec_of, short_name
from sensiview.datasets.dicom_findings import Finding, counted, joined, millimetres
from sensiview.datasets.dicom_geometry import Geometry
from sensiview.datasets.dicom_header import Header
from sensiview.datasets.dicom_stacks import Item, Stack

_COMPARED = 32  # pairs of duplicates whose pixels are compared
_TILT_DEGREES = 0.2
_FEW = 5
_SCOUTS = ("localizer", "localiser", "scout", "survey", "topogram", "3-plane", "3 plane", "plane_loc", "scanogram")
# Objects that DICOM folders hold beside images, by the modality they state.
_OBJECTS = {
    "RTSTRUCT": "contours of a radiotherapy plan",
    "RTPLAN": "a radiotherapy plan",
    "RTRECORD": "a radiotherapy treatment record",
    "SR": "a written report",
    "PR": "a presentation state (how images were displayed)",
    "KO": "a list of key images",
    "DOC": "a document",
    "REG": "a registration",
    "ECG": "a waveform",
    "HD": "a waveform",
    "FID": "fiducial points",
    "AU": "a sound recording",
    "PLAN": "a plan",
}


def pixel_findings(headers: Sequence[Header]) -> list[Finding]:
    """Return what is wrong with the pixels of these files, or with how they are stored."""
    found: list[Finding] = []
    first = headers[0]
    without = [header for header in headers if header.pixels == "none"]
    if len(without) == len(headers):
        what = _OBJECTS.get(first.modality)
        reason = what or "its files have headers only"
        found.append(Finding("no_pixels", f"It holds no pixel data ({reason}). Choose the series of images.", "error"))
        return found
    if without:
        are = "is" if len(without) == 1 else "are"
        sentence = f"{_some(without, headers, 'has', 'have')} no pixel data and {are} left out."
        found.append(Finding("no_pixels", sentence, "warning"))
    cut = [header for header in headers if header.pixels == "truncated"]
    if cut:
        found.append(
            Finding(
                "truncated",
                f"{_some(cut, headers, 'ends before its', 'end before their')} pixels do ({cut[0].path.name}). The "
                "copy broke off: copy the series again from its source.",
                "error",
            )
        )
    found += _codec_findings(headers)
    if any(header.lossy for header in headers):
        found.append(
            Finding("lossy", "The pixels were compressed with loss once: values are not those measured.", "warning")
        )
    return found


def _some(those: Sequence[Header], headers: Sequence[Header], one: str, several: str) -> str:
    """Return ``1 file of 18 has`` or ``2 files of 18 have``."""
    return f"{counted(len(those), 'file')} of {len(headers):,} {one if len(those) == 1 else several}"


def _codec_findings(headers: Sequence[Header]) -> list[Finding]:
    found = []
    for syntax in dict.fromkeys(header.syntax for header in headers):
        name, codec, compressed = codec_of(syntax)
        if not codec:
            sentence = (
                f"The pixels are stored as {short_name(name)}, which nothing installed here can read. Export the "
                "series uncompressed (Explicit VR Little Endian)."
            )
            found.append(Finding("codec", sentence, "error"))
        elif compressed:
            found.append(Finding("compressed", f"Compressed as {short_name(name)}; read with {codec}.", "note"))
    return found


def kind_findings(stack: Stack) -> list[Finding]:
    """Return why this is no volume whatever its geometry: colour, masks of one bit, frames that follow in time."""
    header = stack.items[0].header
    frame = stack.items[0].frame
    if header.samples > 1 or header.photometric == "PALETTE COLOR":
        return [_error("not_a_volume", "It holds colour pictures, not a volume. Add them as a data set of images.")]
    if header.bits == 1 or header.modality == "SEG":
        return [
            _error("not_a_volume", "It is a segmentation object, not an image. Export it as NIfTI labels to use it.")
        ]
    if header.mosaic and not frame.tiles:
        return [
            _error(
                "not_a_volume",
                "It is a mosaic (many slices in one picture) whose private header was removed, so that its slices "
                "can't be told apart. Export it again with private tags, or as NIfTI.",
            )
        ]
    missing = [
        words
        for words, value in (
            ("position (0020,0032)", frame.position),
            ("orientation (0020,0037)", frame.orientation),
            ("pixel spacing (0028,0030)", frame.spacing),
        )
        if value is None
    ]
    if not missing:
        return []
    if len(header.frames) > 1 and frame.position is None:
        return [
            _error(
                "not_a_volume",
                f"It holds {counted(len(stack.items), 'frame')} that follow each other in time or have no place in "
                "space (as in ultrasound): not a volume. Add them as a data set of images.",
            )
        ]
    lacks = " and ".join(missing)
    return [
        _error(
            "no_geometry",
            f"Its headers lack a usable {lacks}, so that left and right, order and size of the slices are unknown. "
            "Export the series again with its geometry, or add the pictures as a data set of images.",
        )
    ]


def geometry_findings(stack: Stack, geometry: Geometry, same_pixels: Callable[[Item, Item], bool]) -> list[Finding]:
    """Return what is odd about where the slices lie."""
    frame = stack.items[0].frame
    spacing = frame.spacing or (1.0, 1.0)
    found = list(_duplicates(stack, geometry, same_pixels))
    if geometry.problem:
        kind = "uneven_spacing" if "uneven" in geometry.problem else "shifted_slices"
        return [*found, _error(kind, geometry.problem)]
    if geometry.gaps:
        missing = sum(gap[2] for gap in geometry.gaps)
        places = joined([f"{mm:.2f} mm after slice {before}" for before, mm, _ in geometry.gaps])
        sentence = (
            f"{counted(missing, 'slice')} {'is' if missing == 1 else 'are'} missing: the slices lie "
            f"{millimetres(geometry.distance)} apart, but {places}. The gaps are left empty (NaN), nothing is "
            "interpolated. Look for the missing files at the source."
        )
        found.append(Finding("missing_slices", sentence, "warning"))
    if geometry.told_uneven:
        found.append(
            Finding(
                "uneven_spacing",
                f"The slices are slightly unevenly spaced: up to {millimetres(geometry.uneven)} from an even grid of "
                f"{millimetres(geometry.distance)}, which is used.",
                "warning",
            )
        )
    if geometry.told_wobble(spacing):
        found.append(
            Finding(
                "shifted_slices",
                f"Slices are shifted in their plane by up to {millimetres(geometry.wobble)}; this is not corrected.",
                "warning",
            )
        )
    if geometry.tilt > _TILT_DEGREES:
        found.append(
            Finding(
                "gantry_tilt",
                f"The slices are tilted by {geometry.tilt:.1f} degrees against the direction in which they follow each "
                "other (tilted gantry). The affine has this shear: positions are exact and no value is changed.",
                "warning",
            )
        )
    return [*found, *_tags_against_positions(stack, geometry)]


def _duplicates(stack: Stack, geometry: Geometry, same_pixels: Callable[[Item, Item], bool]) -> list[Finding]:
    pairs = geometry.duplicates
    if not pairs:
        return []
    same = [same_pixels(stack.items[one], stack.items[other]) for one, other in pairs[:_COMPARED]]
    if all(same):
        how = "with the same pixels"
    elif not any(same):
        how = "with other pixels"
    else:
        how = f"{sum(same)} of the first {len(same)} with the same pixels, the others with other pixels"
    sentence = (
        f"{counted(len(pairs), 'slice')} {'lies' if len(pairs) == 1 else 'lie'} where another slice lies, {how}; the "
        "first of each is used."
    )
    if not all(same):
        sentence += " Two acquisitions may be mixed: check the export."
    return [Finding("duplicate_slices", sentence, "note" if all(same) else "warning")]


def _tags_against_positions(stack: Stack, geometry: Geometry) -> list[Finding]:
    """Compare positions with what the headers say of them."""
    found = []
    frame = stack.items[0].frame
    header = stack.items[0].header
    used = sum(place is not None for place in geometry.order)
    if used == 1:
        found.append(
            _error(
                "one_slice",
                "It holds a single slice: a 2-D image, not a volume, which needs at least two. Add it as an image, or "
                "choose the series it was taken from.",
            )
        )
    elif frame.gap and abs(abs(frame.gap) - geometry.distance) > 0.1 * geometry.distance and not geometry.gaps:
        ratio = geometry.distance / abs(frame.gap)
        lost = ratio > 1.5 and abs(ratio - round(ratio)) < 0.05
        sentence = (
            f"The slices lie {millimetres(geometry.distance)} apart by their positions, which are used, but "
            f"{millimetres(abs(frame.gap))} by the tag Spacing Between Slices."
        )
        if lost:
            sentence += f" Only one of {round(ratio)} slices may have been exported."
        found.append(Finding("spacing_tag", sentence, "warning" if lost else "note"))
    words = f"{header.description} {' '.join(header.image_type)}".lower()
    if used <= _FEW and used > 1 and any(scout in words for scout in _SCOUTS):
        found.append(Finding("localiser", f"It is a localiser of {used} slices, not a volume to analyse.", "warning"))
    return found


def value_findings(stack: Stack) -> list[Finding]:
    """Return what is odd about how stored numbers become values."""
    found = []
    scales = {(item.frame.slope, item.frame.intercept) for item in stack.items}
    if len(scales) > 1:
        slopes = sorted(slope for slope, _ in scales)
        found.append(
            Finding(
                "rescale",
                f"Slices have different rescale factors ({slopes[0]:g} to {slopes[-1]:g}); each is applied to its own "
                "slice.",
                "note",
            )
        )
    if stack.items[0].header.photometric == "MONOCHROME1":
        found.append(
            Finding("inverted", "Stored for an inverted grey scale (MONOCHROME1): values are kept as they are.", "note")
        )
    return found


def people_findings(headers: Sequence[Header]) -> list[Finding]:
    """Return what is odd about whose it is."""
    found = []
    if not headers[0].patient and not any(header.odd_characters for header in headers):
        sentence = "The headers name no patient."
        if not headers[0].patient_id:
            sentence += " The study is taken as a subject of its own."
        found.append(Finding("no_name", sentence, "note"))
    if any(header.odd_characters for header in headers):
        found.append(
            Finding(
                "characters",
                "The patient's name is written in letters of a character set that the files don't state or that isn't "
                "known; it may be misspelt.",
                "note",
            )
        )
    return found


def _error(kind: str, sentence: str) -> Finding:
    return Finding(kind, sentence, "error")
