"""Forwards to `sensiview.files`, which lies below models and data sets."""

from sensiview.files import FileReference, fingerprint, write_atomically

__all__ = ["FileReference", "fingerprint", "write_atomically"]
