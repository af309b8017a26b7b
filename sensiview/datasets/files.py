"""MOVED to sensiview/files.py (below models and datasets, so that both may use it): put `verify` THERE and import from there.

This forwarding file goes away soon.
"""

from sensiview.files import FileReference, fingerprint, write_atomically

__all__ = ["FileReference", "fingerprint", "write_atomically"]
