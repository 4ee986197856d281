"""Whether another process of this machine still runs."""

from __future__ import annotations

import os


def is_running(process: int) -> bool | None:
    """Tell whether a process with this id runs; None where looking could end it (elsewhere than on POSIX)."""
    if os.name != "posix":
        return None
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
