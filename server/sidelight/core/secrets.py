"""Secrets are not sent: which files are for secrets by their name, and what in a text looks like a key or token.

A secret becomes a placeholder on its way out (``Mask.hide``) and itself again in code that an edit writes
(``Mask.restore``). What looks like one is in ``secret_patterns.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from itertools import islice
from os import urandom

from sidelight.core.secret_patterns import Span, apart, find_secrets
from sidelight.errors import UsageError
from sidelight.messages import msg

_PLACEHOLDER = re.compile(r"SIDELIGHT_SECRET_[0-9A-F]{6}(?:_[0-9]{1,9})?")
# Of a file full of keys, only so many are looked for where nothing speaks of them: the time stays linear.
_LOOKED_FOR = 200
# A shorter one, or one of letters alone ("redis" in an address), is also a word: elsewhere it may mean anything.
_TELLING_CHARACTERS, _TELLING_LETTERS = 8, 16
_EXAMPLES = ("example", "sample", "template", "dist", "defaults", "schema")
_CODE = frozenset({
    ".py", ".pyi", ".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".java", ".kt", ".kts", ".go", ".rs", ".rb", ".php",
    ".cs", ".fs", ".c", ".h", ".cc", ".cpp", ".hpp", ".m", ".mm", ".swift", ".scala", ".clj", ".ex", ".exs", ".erl",
    ".hs", ".ml", ".lua", ".dart", ".vue", ".svelte", ".html", ".css", ".scss", ".sql", ".sh", ".bash", ".md", ".rst",
    ".adoc",
})  # fmt: skip
_NAMES = frozenset({
    ".env", ".envrc", ".npmrc", ".pypirc", ".netrc", "_netrc", ".pgpass", ".my.cnf", ".git-credentials", ".htpasswd",
    ".dockercfg", ".vault_pass", "kubeconfig", "id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519",
    "id_ed25519_sk",
})  # fmt: skip
_ENDINGS = (
    ".pem", ".key", ".p8", ".p12", ".pfx", ".pkcs12", ".jks", ".keystore", ".bks", ".kdb", ".kdbx", ".ppk", ".keytab",
    ".ovpn", ".agekey", ".tfstate", ".tfstate.backup",
)  # fmt: skip
_BEGINNINGS = re.compile(r"(?:\.?credentials?|\.?secrets?|client[-_]secrets?|service[-_]account)(?:[-_.]|$)")


def is_secret_file(name: str) -> bool:
    """Whether a file of that name (a path's last part counts) is for keys, tokens or passwords.

    Templates (``.env.example``) and program code (``secrets.py``) are not.
    """
    name = re.split(r"[/\\]", name)[-1].lower()
    first, _, last = name.rpartition(".")
    if name.startswith(".env.") or (first and last == "env"):
        return not any(part in _EXAMPLES for part in re.split(r"[.\-_]", name))
    if name in _NAMES or name.endswith(_ENDINGS):
        return True
    return bool(_BEGINNINGS.match(name)) and not (first and f".{last}" in _CODE | set(map(".{}".format, _EXAMPLES)))


def refuse_secret_file(name: str) -> None:
    """Raise ``UsageError`` where a task would be about a file for secrets."""
    if is_secret_file(name):
        raise UsageError(
            msg("{name} is a file for keys or passwords by its name, so nothing of it is sent to a model.", name=name),
            msg("Ask without the file, and write what it is about. A template such as .env.example is fine."),
        )


class Mask:
    """Puts placeholders in the place of secrets, and secrets back in theirs.

    The same secret has the same placeholder wherever this process meets it, so that a model which is told of earlier
    turns does not take one secret for another; what a placeholder stands for, only the mask knows that gave it.
    Lines stay lines: no placeholder stands for a line end.
    """

    def __init__(self) -> None:
        self._secrets: dict[str, str] = {}
        self._placeholders: dict[str, str] = {}
        self._whole: dict[str, str] = {}
        self._literal: set[str] = set()

    def count_in(self, text: str) -> int:
        """Return how many different secrets are hidden in a text; the lines of one private key are one."""
        hidden = (self._secrets.get(found) for found in set(_PLACEHOLDER.findall(text)))
        return len({self._whole.get(secret, secret) for secret in hidden if secret is not None})

    def learn(self, text: str) -> None:
        """Take note of a text's secrets, so that parts of it, which tell less, are masked as the whole would be.

        Placeholders that an earlier turn had for them are restored, too.
        """
        for span in self._spans(text):
            self._placeholder(text[span.start : span.end])

    def hide(self, text: str) -> str:
        """Return the text with a placeholder for everything that looks like a secret, or is known for one.

        Takes some milliseconds for 5,000 lines.
        """
        parts: list[str] = []
        at = 0
        for span in self._spans(text):
            secret = text[span.start : span.end]
            parts += text[at : span.start], self._placeholder(secret)
            at = span.end
        return "".join([*parts, text[at:]])

    def restore(self, text: str) -> str:
        """Return the text with the secrets that were hidden in the place of their placeholders."""
        if not self._secrets or "SIDELIGHT_SECRET_" not in text:
            return text
        return _PLACEHOLDER.sub(self._restored, text)

    def _restored(self, found: re.Match[str]) -> str:
        """Return the secret of a placeholder; a number behind it may be the text's own."""
        base, _, number = found[0].rpartition("_")
        if found[0] not in self._secrets and base in self._secrets:
            return f"{self._secrets[base]}_{number}"
        return self._secrets.get(found[0], found[0])

    def _spans(self, text: str) -> list[Span]:
        """Return where secrets are; known ones are found wherever they stand."""
        if "SIDELIGHT_SECRET_" in text:
            self._literal |= set(_PLACEHOLDER.findall(text)) - self._secrets.keys()
        found = find_secrets(text)
        whole = ""
        for span in found:
            secret = text[span.start : span.end]
            whole = secret if span.is_first else whole
            self._whole.setdefault(secret, whole)
        known = [span for secret in self._looked_for() for span in _occurrences(text, secret)]
        return apart(sorted([*found, *known]))

    def _looked_for(self) -> Iterator[str]:
        telling = (secret for secret in self._whole if _is_telling(secret))
        return islice(telling, _LOOKED_FOR)

    def _placeholder(self, secret: str) -> str:
        known = self._placeholders.get(secret)
        if known is None:
            base = known = f"SIDELIGHT_SECRET_{_digest(secret)}"
            number = 1
            while known in self._secrets or known in self._literal:
                number += 1
                known = f"{base}_{number}"
            self._placeholders[secret], self._secrets[known] = known, secret
        return known


def _is_telling(secret: str) -> bool:
    return len(secret) >= (_TELLING_LETTERS if secret.isalpha() else _TELLING_CHARACTERS)


def _occurrences(text: str, secret: str) -> Iterator[Span]:
    at = text.find(secret)
    while at >= 0:
        yield Span(at, at + len(secret))
        at = text.find(secret, at + len(secret))


def _digest(secret: str) -> str:
    """Return what tells one secret from another, and tells nothing of it outside of this process."""
    return blake2b(secret.encode("utf-8", "surrogatepass"), key=_key(), digest_size=3).hexdigest().upper()


@cache
def _key() -> bytes:
    return urandom(32)
