"""What a process knows stays in its memory: no crash writes keys or messages to a disk."""

from __future__ import annotations

import ctypes
import resource
import sys

PR_SET_DUMPABLE = 4


def keep_private() -> None:
    """Have the kernel write no core dump of this process or of those it starts, nor let a neighbour read its memory.

    The limit is inherited, but a machine that pipes cores to a program ignores it; that is what the second call is for.
    Repeating is harmless.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
