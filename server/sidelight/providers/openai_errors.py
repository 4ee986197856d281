"""What the refusals of OpenAI-compatible servers mean: every server has its own codes and words."""

from __future__ import annotations

from sidelight.errors import ProviderError
from sidelight.messages import msg
from sidelight.providers.http import Reply
from sidelight.providers.refusals import Refusal, reason_of, refusal_of

# By these, a refusal that speaks of the model means that there is no such model (Azure calls its own deployments).
_MISSING = ("not found", "not_found", "not exist", "no such", "unknown model", "invalid model", "not a valid model",
            "not available", "pinned", "deploymentnotfound")  # fmt: skip
_TOO_LONG = ("context_length", "exceed_context", "context size", "context length", "maximum context", "too many tokens",
             "prompt is too long", "context window")  # fmt: skip


def error_of(refusal: Refusal, whose: str) -> ProviderError:
    """Say what an error means, by its code and words, else by its status."""
    words = f"{refusal.code} {refusal.reason}".lower()
    reason = reason_of(refusal)
    if any(sign in words for sign in _TOO_LONG):
        return ProviderError(
            "too_long",
            msg("The prompt is too long for the model: {reason}", reason=reason),
            msg("Choose a smaller part, or set SIDELIGHT_CONTEXT_TOKENS to what the model really reads."),
        )
    if "content_filter" in words or "content management policy" in words:
        return ProviderError("refused", msg("{whose} refused: {reason}", whose=whose, reason=reason),
                             msg("Ask in other words, or ask another model."))  # fmt: skip
    if "insufficient_quota" in words or refusal.status == 402:
        return ProviderError("auth", msg("The account at {whose} has no credit left: {reason}", whose=whose,
                                         reason=reason), msg("Look at your account there."))  # fmt: skip
    hints = {
        "auth": msg("Check OPENAI_API_KEY, and that it is a key of this server."),
        "rate_limit": msg("Wait a little, then ask again."),
        "overloaded": msg("The server is busy or still starting; ask again in a while."),
    }
    hint = hints.get(refusal.kind, msg("Look at the server's log."))
    return ProviderError(refusal.kind, msg("{whose} could not answer: {reason}", whose=whose, reason=reason), hint)


def refused_key(refusal: Refusal, host: str, address: str, key: str, *, withheld: bool) -> ProviderError:
    """Say why a server does not take the key, or why it got none."""
    if withheld:
        return ProviderError(
            "auth",
            msg("{url} wants a key, and yours was not sent there.", url=address),
            msg("Your key belongs to another address. Set OPENAI_BASE_URL in your own configuration if you trust "
                "this one."),
        )  # fmt: skip
    if not key:
        return ProviderError("auth", msg("{host} wants a key, and none is set.", host=host),
                             msg("Set OPENAI_API_KEY."))  # fmt: skip
    return ProviderError(
        "auth",
        msg("{host} did not accept the key: {reason}", host=host, reason=reason_of(refusal)),
        msg("Check OPENAI_API_KEY, and that it is a key of this server."),
    )


def is_about_the_model(refusal: Refusal) -> bool:
    """Whether a refusal means that there is no such model (``transformers serve`` is "pinned" to one)."""
    words = f"{refusal.code} {refusal.reason}".lower()
    if not any(it in words for it in ("model", "pinned", "deployment")):
        return False
    return refusal.status == 404 or any(sign in words for sign in _MISSING)


def is_loading(reply: Reply) -> bool:
    """Whether a 503 says that the model is being loaded, as llama.cpp's does, and not that it cannot be."""
    words = refusal_of(reply).reason.lower()
    return "loading" in words and not any(sign in words for sign in ("fail", "error", "could not", "cannot", "unable"))
