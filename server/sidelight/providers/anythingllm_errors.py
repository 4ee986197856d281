"""What goes wrong with AnythingLLM, in words: its refusals, the ends of its streams, addresses that are not its own.

Everything here is pure. Which reply is a refusal at all is for ``anythingllm_api.py`` to say.
"""

from __future__ import annotations

from dataclasses import dataclass

from sidelight.errors import ConfigurationError, ProviderError
from sidelight.messages import msg, plain
from sidelight.providers.http_reply import Reply, redirect_error
from sidelight.providers.refusals import told


def abort_error(reason: str) -> ProviderError:
    """Say what an abort event means. Its words are those of AnythingLLM or of the model behind it."""
    lowered = reason.lower()
    words = plain(reason)
    if "premature close" in lowered:
        return ProviderError(
            "cut_off",
            msg("The model behind AnythingLLM stopped in the middle of the answer ({reason}).", reason=words),
            msg("What came so far is kept. Look at the model server that AnythingLLM uses."),
        )
    if "api key" in lowered or lowered.startswith("401"):
        return ProviderError(
            "auth",
            msg("AnythingLLM could not use its model: {reason}", reason=words),
            msg("The key of the model provider is wrong or missing in AnythingLLM's own settings; yours is fine."),
        )
    if "embed" in lowered:
        return search_failed(reason)
    return ProviderError(
        "other",
        msg("AnythingLLM could not answer: {reason}", reason=words),
        msg("Check the model in AnythingLLM's settings (LLM Preference), and that its server runs."),
    )


def search_failed(reason: str) -> ProviderError:
    """Say that the knowledge base could not be searched."""
    return ProviderError(
        "other",
        msg("AnythingLLM could not search its documents: {reason}", reason=plain(reason)),
        msg("Check the embedder in AnythingLLM's settings, and that its server runs."),
    )


def ended_early() -> ProviderError:
    """Say that the stream ended without one of the closing events."""
    return ProviderError(
        "cut_off",
        msg("AnythingLLM ended the answer before it was complete."),
        msg("What came so far is kept. If a reverse proxy stands between, switch its buffering off and raise "
            "its time limit."),
    )  # fmt: skip


def empty_answer() -> ProviderError:
    """Say that the answer has no text."""
    return ProviderError(
        "refused",
        msg("AnythingLLM gave an empty answer."),
        msg("Ask again, or look at the model in AnythingLLM's settings: it ended without a word."),
    )


def no_workspace_chosen(slugs: list[str]) -> ConfigurationError:
    """Say that it is not clear which workspace to ask, or that there is none."""
    if not slugs:
        return ConfigurationError(
            msg("AnythingLLM has no workspace yet."), msg("Make one in AnythingLLM, then try again.")
        )
    return ConfigurationError(
        msg("No workspace is chosen. There are: {slugs}", slugs=", ".join(slugs)),
        msg("Set ANYTHINGLLM_WORKSPACE_SLUG to one of them."),
    )


def no_such_workspace(slug: str, slugs: list[str]) -> ProviderError:
    """Say that the configured workspace is not among those that there are."""
    return ProviderError(
        "not_found",
        msg("The workspace {slug} does not exist. There are: {slugs}", slug=slug, slugs=", ".join(slugs)),
        msg("Set ANYTHINGLLM_WORKSPACE_SLUG to one of them; upper and lower case matter."),
    )


@dataclass(frozen=True, slots=True)
class Refusals:
    """What a server's replies mean: asked at ``api`` with ``key``, which may have been withheld from ``address``."""

    api: str
    address: str
    key: str
    key_withheld: bool

    def of(self, reply: Reply) -> ProviderError | None:
        """Say what a reply means that is not a stream of events; None where it may be one all the same."""
        body = reply.json()
        reason = body.get("error") or body.get("message") if isinstance(body, dict) else None
        words = told(str(reason or ""), self.key)
        if 300 <= reply.status < 400:
            return redirect_error(reply, "ANYTHINGLLM_BASE_URL")
        if reply.status == 200:
            return abort_error(words) if words else self.not_the_api()
        if reply.status in (401, 403):
            return self._refused_key(words)
        if reply.status in (400, 404):
            return self._not_found(words, reply)
        return ProviderError(
            "overloaded" if reply.status in (429, 502, 503, 504) else "other",
            msg("AnythingLLM answered with status {status}: {reason}", status=reply.status, reason=plain(words or "-")),
            msg("Look at AnythingLLM's log, and at the proxy in front of it if there is one."),
        )

    def not_the_api(self) -> ProviderError:
        """Say that something else answers there."""
        return ProviderError(
            "not_found",
            msg("{url} is not the address of AnythingLLM's API: it answers with something else.", url=self.api),
            msg("Set ANYTHINGLLM_BASE_URL to where AnythingLLM runs, such as http://localhost:3001."),
        )

    def _refused_key(self, words: str) -> ProviderError:
        if self.key_withheld:
            return ProviderError(
                "auth",
                msg("{url} wants a key, and yours was not sent there.", url=self.address),
                msg("That address came from the opened folder, and your key belongs to another. Set "
                    "ANYTHINGLLM_BASE_URL in your own configuration if you trust it."),
            )  # fmt: skip
        if not self.key:
            return ProviderError(
                "auth", msg("AnythingLLM wants a key, and none is set."), msg("Set ANYTHINGLLM_API_KEY.")
            )
        return ProviderError(
            "auth",
            msg("AnythingLLM did not accept the key: {reason}", reason=plain(words or "403")),
            msg("Make a key in AnythingLLM (Settings, Tools, Developer API) and set ANYTHINGLLM_API_KEY."),
        )

    def _not_found(self, words: str, reply: Reply) -> ProviderError:
        if "workspace" in words.lower():
            return ProviderError(
                "not_found",
                msg("AnythingLLM does not know the workspace: {reason}", reason=plain(words or str(reply.status))),
                msg("Run `sidelight models` to see the workspaces; ANYTHINGLLM_WORKSPACE_SLUG names one."),
            )
        if reply.status == 404:
            return self.not_the_api()
        return ProviderError(
            "other",
            msg("AnythingLLM did not understand the request: {reason}", reason=plain(words or "400")),
            msg("Check that AnythingLLM is version 1.8 or newer, and look at its log."),
        )
