"""What is on the disk and not only said to be: names and bytes that outlive a power cut."""

import os
from pathlib import Path


def sync_file(path: Path) -> None:
    """Return once what was written to a file, or listed in a folder, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
