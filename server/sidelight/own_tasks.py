"""Where the user's own tasks are: ``tasks/`` in the user's configuration, ``.sidelight/tasks/`` in trusted folders.

Reads files, so not for the event loop. A folder's tasks are not even read where it is not trusted, and nothing that a
link makes of a file outside of it is. What is in such a file: ``core/own_tasks.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidelight.core.own_tasks import OwnTask, OwnTasks, TaskProblem, joined, parse_own_task
from sidelight.errors import UsageError
from sidelight.files import read_text
from sidelight.messages import msg

_LARGEST_KIB = 64
_MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class TaskFolders:
    """Where tasks may be: the user's own configuration (None: nowhere), and the opened folders."""

    user: Path | None
    folders: Sequence[Path] = ()
    is_trusted: bool = False

    def read(self) -> OwnTasks:
        """Read all tasks; the user's come first, so that no folder replaces one of them. Blocks; raises nothing."""
        return joined(found for place in self._places() for found in _read_folder(place))

    def has(self, path: Path) -> bool:
        """Whether a file is one of a task, or would be in a trusted folder."""
        places = [*([self.user] if self.user else []), *(folder / ".sidelight" / "tasks" for folder in self.folders)]
        return path.suffix.lower() == ".md" and path.parent in places

    def _places(self) -> Iterator[Path]:
        if self.user is not None:
            yield self.user
        for folder in self.folders if self.is_trusted else ():
            place = folder / ".sidelight" / "tasks"
            if _is_within(folder, place):
                yield place


def user_tasks(user_file: Path | None) -> Path | None:
    """Return the folder of the user's tasks: beside the user's ``.env``."""
    return None if user_file is None else user_file.parent / "tasks"


def _read_folder(place: Path) -> Iterator[tuple[OwnTask | None, list[TaskProblem]]]:
    try:
        files = sorted(path for path in place.iterdir() if path.suffix.lower() == ".md")
    except OSError:  # there is none, and most folders have none
        return
    for path in files[:_MOST_FILES]:
        yield _read_file(place, path)
    if len(files) > _MOST_FILES:
        told = msg("There are more than {count} tasks here; the others are left out.", count=_MOST_FILES)
        yield None, [TaskProblem(str(place), 1, told)]


def _read_file(place: Path, path: Path) -> tuple[OwnTask | None, list[TaskProblem]]:
    try:
        if not _is_within(place, path) or not path.is_file():
            return None, [TaskProblem(str(path), 1, msg("This is no file inside of this folder."))]
        if path.stat().st_size > _LARGEST_KIB << 10:
            told = msg("A task is at most {size} KiB long.", size=_LARGEST_KIB)
            return None, [TaskProblem(str(path), 1, told)]
        text = read_text(path)
    except UsageError as error:
        return None, [TaskProblem(str(path), 1, error.message)]
    except OSError as error:
        told = msg("{path} cannot be read: {reason}", path=str(path), reason=error.strerror or str(error))
        return None, [TaskProblem(str(path), 1, told)]
    return parse_own_task(text, str(path), path.stem)


def _is_within(folder: Path, path: Path) -> bool:
    """Whether a path lies in a folder when all links are followed."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links in a circle
        return False
