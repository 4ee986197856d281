"""What goes wrong with Ollama, in words: its refusals, errors in mid-answer, models that are not there.

Everything here is pure. Ollama's statuses tell little, so its words are looked at, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from sidelight.errors import ConfigurationError, ProviderError
from sidelight.messages import msg
from sidelight.providers.http import host_of
from sidelight.providers.http_reply import Reply, redirect_error
from sidelight.providers.refusals import Refusal, no_such_model, reason_of, refusal_of, told

# Its own words, and those of llama.cpp, which runs the models.
_TOO_LONG = ("context length", "context size", "context window", "input length", "exceed_context_size",
             "prompt is too long", "prompt too long", "input is too long")  # fmt: skip


def error_of_reply(reply: Reply, address: str) -> ProviderError | None:
    """Say what a reply means that is no stream; None where it is an answer all the same."""
    host, refusal = host_of(address), refusal_of(reply)
    if 300 <= reply.status < 400:
        return redirect_error(reply, "OLLAMA_HOST")
    if reply.status == 200 and _is_frame(reply):
        return None
    if reply.status in (401, 403):
        return ProviderError(
            "auth",
            msg("{host} did not let the question through: {reason}", host=host, reason=reason_of(refusal)),
            msg("Ollama itself wants no key. If a proxy in front of it does, SIDELIGHT_HEADERS can hold that."),
        )
    if reply.status < 500 and not _has_words(reply):
        return not_ollama(address)
    if reply.status in (502, 503, 504):
        busy = msg("{host} is busy: {reason}", host=host, reason=reason_of(refusal))
        return ProviderError("overloaded", busy, msg("Ask again in a while."))
    return failed(host, refusal)


def lacks_model(reply: Reply) -> bool:
    """Whether a reply means that the model which was asked is not there."""
    return reply.status == 404 and _has_words(reply) and "not found" in refusal_of(reply).reason


def failed(whose: str, refusal: Refusal) -> ProviderError:
    """Say what an error means, by Ollama's words: its statuses tell little."""
    words, reason = f"{refusal.code} {refusal.reason}".lower(), reason_of(refusal)
    if any(sign in words for sign in _TOO_LONG):
        return ProviderError(
            "too_long",
            msg("The prompt is too long for the model: {reason}", reason=reason),
            msg("Choose a smaller part, or raise SIDELIGHT_CONTEXT_TOKENS if the model reads more."),
        )
    if "memory" in words:
        return ProviderError(
            "other",
            msg("{whose} has not enough memory for the model: {reason}", whose=whose, reason=reason),
            msg("Choose a smaller model, or lower SIDELIGHT_CONTEXT_TOKENS or SIDELIGHT_PROMPT_TOKENS."),
        )
    if "does not support chat" in words:
        return ProviderError(
            "refused",
            msg("This model does not answer questions: {reason}", reason=reason),
            msg("Choose another (`sidelight models`), or set OLLAMA_MODEL."),
        )
    if refusal.status == 200:
        return ProviderError(
            "cut_off",
            msg("{whose} could not go on: {reason}", whose=whose, reason=reason),
            msg("What came so far is kept. Look at Ollama's log."),
        )
    what = msg("{whose} could not answer: {reason}", whose=whose, reason=reason)
    return ProviderError(refusal.kind, what, msg("Look at Ollama's log."))


def missing_model(model: str, names: Sequence[str]) -> ProviderError:
    """Say that a model is not there, and how to get it; ``names`` are those that there are."""
    hint = msg("Get it with: ollama pull {model}. Or choose another (`sidelight models`).", model=told(model))
    return no_such_model(model, names, "Ollama", hint)


def no_model_chosen(host: str, names: Sequence[str]) -> ConfigurationError:
    """Say that there is no model yet, or that only the user can know which one is to be asked."""
    if not names:
        return ConfigurationError(msg("Ollama has no model yet."), msg("Get one, such as: ollama pull qwen2.5-coder"))
    return ConfigurationError(
        msg("No model is chosen. {host} has: {names}", host=host, names=", ".join(names[:20])),
        msg("Choose one (`sidelight models`), or set OLLAMA_MODEL."),
    )


def not_ollama(address: str) -> ProviderError:
    """Say that something else answers there."""
    return ProviderError(
        "not_found",
        msg("{url} is not Ollama: it answers with something else.", url=address),
        msg("Set OLLAMA_HOST to where Ollama runs, such as http://127.0.0.1:11434."),
    )


def _is_frame(reply: Reply) -> bool:
    """Whether the body begins with a line of an answer, under whatever content type."""
    first = Reply(200, "", reply.body.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]).json()
    return isinstance(first, dict) and ("message" in first or "done" in first)


def _has_words(reply: Reply) -> bool:
    """Whether a reply is an error as Ollama sends them."""
    body = reply.json()
    return isinstance(body, dict) and isinstance(body.get("error"), str)
