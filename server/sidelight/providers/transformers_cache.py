"""Which models lie on this machine, and what their own files say, found without importing anything.

A model is a folder with an absolute path, or a name on the hub, whose files lie in the hub's cache
(https://huggingface.co/docs/huggingface_hub/guides/manage-cache). Next: ``transformers.py``.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from sidelight.core.ports import Model

_HUB_NAME = re.compile(r"[\w][\w.-]*(/[\w.-]+)?", re.ASCII)
_LENGTHS = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length", "n_ctx")
_WEIGHTS = (".safetensors", ".bin")


def is_folder(model: str) -> bool:
    """Whether a model is named by its folder."""
    return os.path.isabs(model)


def is_hub_name(model: str) -> bool:
    """Whether a model is named as on the hub: a name, or an owner and a name."""
    return _HUB_NAME.fullmatch(model) is not None


def find_files(model: str) -> Path | None:
    """Return the folder with a model's files; None where there is no such model on this machine."""
    folder = Path(model) if is_folder(model) else None
    if is_hub_name(model):
        folder = _snapshot(_cache() / f"models--{model.replace('/', '--')}")
    return folder if folder and _has_weights(folder) else None


def context_tokens(folder: Path) -> int | None:
    """Return how many tokens a model reads and writes together, by its own files."""
    config = _config(folder)
    inner = config.get("text_config")
    both = (inner if isinstance(inner, dict) else {}, config)
    found = (it[name] for it in both for name in _LENGTHS if isinstance(it.get(name), int) and it[name] > 0)
    return next(found, None)


def cached_models() -> list[Model]:
    """Return the models in the hub's cache that write text."""
    try:
        names = sorted(os.listdir(_cache()))
    except OSError:
        return []
    found = ((name, _snapshot(_cache() / name)) for name in names if name.startswith("models--"))
    return [
        Model(name.removeprefix("models--").replace("--", "/"), context_tokens=context_tokens(folder))
        for name, folder in found
        if folder and _has_weights(folder) and _writes_text(folder)
    ]


def _cache() -> Path:
    said = os.environ.get
    cache = Path(said("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    home = Path(said("HF_HOME") or cache)
    return Path(said("HF_HUB_CACHE") or said("HUGGINGFACE_HUB_CACHE") or home / "hub").expanduser()


def _snapshot(folder: Path) -> Path | None:
    """Return the files of the version that the name stands for."""
    try:
        version = (folder / "refs" / "main").read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    found = folder / "snapshots" / version
    return found if version and found.is_dir() else None


def _has_weights(folder: Path) -> bool:
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return "config.json" in names and any(name.endswith(_WEIGHTS) for name in names)


def _writes_text(folder: Path) -> bool:
    kinds = _config(folder).get("architectures")
    return isinstance(kinds, list) and any("CausalLM" in str(kind) or "LMHead" in str(kind) for kind in kinds)


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}
