"""The most memory that the program, and the process of one document, have had at once: what an instance needs."""

from __future__ import annotations

import resource
import sys
import threading
from pathlib import Path

# Of this process alone; what `getrusage` says includes what the process had that started it.
_LINUX_STATUS = Path("/proc/self/status")
_PEAK = "VmHWM:"


def peak_megabytes() -> int:
    """Give the peak of resident memory until now, in megabytes of 1,024 KB."""
    if _LINUX_STATUS.exists():
        lines = _LINUX_STATUS.read_text().splitlines()
        found = next((line.split()[1] for line in lines if line.startswith(_PEAK)), None)
        if found:
            return int(found) // 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)


_lock = threading.Lock()
_document_kilobytes = 0


def note_document_peak(kilobytes: int) -> None:
    """Take note of the most memory that the process of a document has had at once."""
    global _document_kilobytes
    with _lock:
        _document_kilobytes = max(_document_kilobytes, kilobytes)


def document_peak_megabytes() -> int:
    """Give the largest of these until now, in megabytes of 1,024 KB, with what the processes share."""
    return _document_kilobytes // 1024
