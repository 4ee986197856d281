"""Which model is asked where the user has named none: the one that is loaded, else, on this machine, the first one."""

from __future__ import annotations

from collections.abc import Sequence

from sidelight.core.answers import Note
from sidelight.core.ports import Model
from sidelight.messages import msg

LOADED = "loaded"
"""The ability of a model that answers without being loaded first."""


def try_default(models: Sequence[Model], *, is_local: bool) -> tuple[Model, tuple[Note, ...]] | None:
    """Return the model to ask, and what to tell of it; None where only the user can know (elsewhere, models cost)."""
    able = [model for model in models if not _only_embeds(model)] or models
    loaded = [model for model in able if LOADED in model.abilities]
    if len(able) == 1 or len(loaded) == 1:
        return (loaded or able)[0], ()
    if not able or not (loaded or is_local):
        return None
    model = (loaded or able)[0]
    note = Note(msg("No model is chosen; {model} was asked, one of {count}. `sidelight models` chooses.",
                    model=model.id, count=len(able)))  # fmt: skip
    return model, (note,)


def _only_embeds(model: Model) -> bool:
    return "completion" not in model.abilities and (
        "embed" in model.id.lower() or any("embed" in ability for ability in model.abilities)
    )
