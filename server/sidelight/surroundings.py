"""Where this process runs, seen from its user's chair: what ``localhost`` means in an address depends on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from sidelight.messages import Message, msg

Kind = Literal["", "ssh", "wsl", "container", "codespaces", "web"]

# What VS Code calls the other side (vscode.env.remoteName), up to a plus.
_REMOTE: dict[str, Kind] = {
    "ssh-remote": "ssh", "tunnel": "ssh", "wsl": "wsl", "dev-container": "container", "attached-container": "container",
    "k8s-container": "container", "codespaces": "codespaces",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What to say of a place that is not the machine in front of the user, and what to do about it."""

    message: Message
    hint: Message


def find(
    remote: str | None = None,
    environment: Mapping[str, str] = os.environ,
    exists: Callable[[str], bool] = os.path.exists,
) -> Surroundings | None:
    """Return what is to be said; None where ``localhost`` is the user's own machine.

    ``remote`` is what the editor calls the place (empty: here), None where nobody can say.
    """
    found = _found(environment, exists)
    if remote is None:
        return _SAID.get(found)
    kind = _REMOTE.get(remote.partition("+")[0], "web") if remote else ""
    return _SAID.get("container" if kind == "web" and found == "container" else kind)


def _found(environment: Mapping[str, str], exists: Callable[[str], bool]) -> Kind:
    if environment.get("CODESPACES"):
        return "codespaces"
    marks = ("REMOTE_CONTAINERS", "container")
    if any(environment.get(name) for name in marks) or any(map(exists, ("/.dockerenv", "/run/.containerenv"))):
        return "container"
    if environment.get("WSL_DISTRO_NAME"):
        return "wsl"
    return "ssh" if environment.get("SSH_CONNECTION") else ""


_SAID: dict[Kind, Surroundings] = {
    "ssh": Surroundings(
        msg("Sidelight's server runs on the machine that you have reached over the network: localhost in an address "
            "means that machine, not the one you sit at."),
        msg("To reach a model server on your own machine, use a reverse tunnel, such as "
            "`ssh -R 11434:localhost:11434`, or its address in the network."),
    ),
    "wsl": Surroundings(
        msg("Sidelight's server runs inside WSL: localhost in an address means WSL, not Windows."),
        msg("To reach a model server on Windows, use the Windows host's address (`ip route show default` names it), "
            "or set networkingMode=mirrored in .wslconfig."),
    ),
    "container": Surroundings(
        msg("Sidelight's server runs in a container: localhost in an address means that container, not the machine "
            "around it."),
        msg("To reach a model server on that machine, use host.docker.internal or the host's address."),
    ),
    "codespaces": Surroundings(
        msg("Sidelight's server runs in a codespace: localhost in an address means the codespace, not the machine "
            "that you sit at."),
        msg("To reach a model server on your own machine, use a reverse tunnel, such as "
            "`gh codespace ssh -- -R 11434:localhost:11434`."),
    ),
    "web": Surroundings(
        msg("Sidelight's server runs on the machine that serves this editor to your browser: localhost in an address "
            "means that machine."),
        msg("To reach a model server on another machine, use its address in the network, or a reverse tunnel, such as "
            "`ssh -R 11434:localhost:11434`."),
    ),
}  # fmt: skip
