"""Stills of video files, read by OpenCV (with an LGPL build of FFmpeg)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.image_kinds import MOST_PIXELS, ImageFile
from sensiview.errors import DataError

_INSTALL = (
    "Videos need the package opencv-python-headless, which is not installed. Install it, or save stills as PNG "
    "(for instance: ffmpeg -i clip.mp4 -vf fps=2 still_%04d.png) and add those."
)


def video_header(path: Path) -> ImageFile:
    """Return size and number of frames of a video.

    Raises
    ------
    DataError
        It is empty, damaged, or of a kind that can't be decoded.
    """
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty (0 bytes). Copy it again.")
    capture = _open(path)
    try:
        cv2 = _cv2()
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        there, first = capture.read()
        if not there:
            raise DataError(f"{path} holds no frame that can be decoded. Save stills as PNG and add those.")
        if count < 1:  # some containers don't say
            count = 1
            while capture.grab():
                count += 1
    finally:
        capture.release()
    height, width = first.shape[:2]
    if height * width > MOST_PIXELS:
        raise DataError(f"{path} has {width:,} x {height:,} pixels; at most {MOST_PIXELS:,} are opened.")
    return ImageFile("video", (height, width), 3, count)


def video_frame(path: Path, frame: int) -> npt.NDArray[np.uint8]:
    """Return a frame, counted from 0, uint8 (y, x, 3), red, green, blue.

    Raises
    ------
    DataError
        The file is gone, damaged, or has fewer frames.
    """
    cv2 = _cv2()
    capture = _open(path)
    try:
        if frame:
            capture.set(cv2.CAP_PROP_POS_FRAMES, frame)
        there, picture = capture.read()
        if not there:
            raise DataError(f"{path} has no frame {frame} that can be decoded. Add fewer frames of it.")
    finally:
        capture.release()
    return np.ascontiguousarray(picture[:, :, ::-1])


def _open(path: Path) -> Any:
    cv2 = _cv2()
    if not path.exists():
        raise DataError(f"{path} can't be found: moved or deleted. Put it back.")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise DataError(
            f"{path} is damaged or of a kind of video that can't be decoded. Save stills as PNG and add those."
        )
    return capture


def _cv2() -> Any:
    """Return OpenCV, quiet."""
    # FFmpeg and OpenCV would write about damaged files to the terminal; what matters becomes a sentence.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    try:
        import cv2
    except ImportError:
        raise DataError(_INSTALL) from None
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2
