"""What the refusals of OpenAI-compatible servers mean: every server has its own codes and words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sidelight.errors import ConfigurationError, ProviderError
from sidelight.messages import msg
from sidelight.providers.http_reply import Reply, redirect_error
from sidelight.providers.openai_config import OpenAIConfig
from sidelight.providers.refusals import Refusal, no_such_model, reason_of, refusal_of, told

# By these, a refusal that speaks of the model means that there is no such model (Azure calls its own deployments).
_MISSING = ("not found", "not_found", "not exist", "no such", "unknown model", "invalid model", "not a valid model",
            "not available", "pinned", "deploymentnotfound")  # fmt: skip
_TOO_LONG = ("context_length", "exceed_context", "context size", "context length", "maximum context", "too many tokens",
             "prompt is too long", "context window")  # fmt: skip
# What servers say of a path that they do not have.
_NO_PATH = ("", "not found", "file not found", "404 page not found", "resource not found", "method not allowed")


def error_of_reply(
    reply: Reply, config: OpenAIConfig, model: str | None = None, names: Callable[[], Sequence[str]] = tuple
) -> ProviderError:
    """Say what a reply means that is no answer; ``model`` is None where none was asked.

    ``names`` gives the models there are; it is called where the reply is about the model, and may block.
    """
    refusal = refusal_of(reply, config.key)
    status, reason = refusal.status, refusal.reason.lower()
    if 300 <= status < 400:
        return redirect_error(reply, "OPENAI_BASE_URL")
    if status == 200 and (not reason or "unexpected endpoint" in reason):  # LM Studio has no 404
        return _not_the_api(config.address)
    if status in (401, 403):
        return _refused_key(refusal, config)
    if model is not None and status in (200, 400, 404, 422) and _is_about_the_model(refusal):
        return _refused_model(refusal, config.host, model, names)
    if status in (404, 405) and reason.rstrip(".") in _NO_PATH:
        return _not_the_api(config.address)
    return error_of(refusal, config.host)


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


def _refused_key(refusal: Refusal, config: OpenAIConfig) -> ProviderError:
    """Say why a server does not take the key, or why it got none."""
    if config.key_withheld:
        return ProviderError(
            "auth",
            msg("{url} wants a key, and yours was not sent there.", url=config.address),
            msg("Your key belongs to another address. Set OPENAI_BASE_URL in your own configuration if you trust "
                "this one."),
        )  # fmt: skip
    if not config.key:
        return ProviderError("auth", msg("{host} wants a key, and none is set.", host=config.host),
                             msg("Set OPENAI_API_KEY."))  # fmt: skip
    return ProviderError(
        "auth",
        msg("{host} did not accept the key: {reason}", host=config.host, reason=reason_of(refusal)),
        msg("Check OPENAI_API_KEY, and that it is a key of this server."),
    )


def _refused_model(refusal: Refusal, host: str, model: str, names: Callable[[], Sequence[str]]) -> ProviderError:
    """Name the models there are, where the model that was asked for is not among them."""
    reason = reason_of(refusal)
    if not model:
        return ProviderError("not_found", msg("{host} wants a model to be named: {reason}", host=host,
                                              reason=reason), msg("Set OPENAI_MODEL."))  # fmt: skip
    there = names()
    if there and model not in there:
        return no_such_model(model, there, host)
    return ProviderError(
        "not_found",
        msg("{host} cannot use the model {model}: {reason}", host=host, model=told(model), reason=reason),
        msg("Run `sidelight models` to see what there is, and choose one."),
    )


def _not_the_api(address: str) -> ProviderError:
    return ProviderError(
        "not_found",
        msg("{url} is not an OpenAI-compatible API: it answers with something else.", url=address),
        msg("Set OPENAI_BASE_URL to where the API is; it usually ends in /v1, such as http://localhost:1234/v1."),
    )


def no_model_chosen(host: str, names: Sequence[str]) -> ConfigurationError:
    """Say that only the user can know which model is to be asked."""
    return ConfigurationError(
        msg("No model is chosen. {host} has: {names}", host=host, names=", ".join(names)),
        msg("Choose one (`sidelight models`), or set OPENAI_MODEL."),
    )


def _is_about_the_model(refusal: Refusal) -> bool:
    """Whether a refusal means that there is no such model (``transformers serve`` is "pinned" to one)."""
    words = f"{refusal.code} {refusal.reason}".lower()
    if not any(it in words for it in ("model", "pinned", "deployment")):
        return False
    return refusal.status == 404 or any(sign in words for sign in _MISSING)


def is_loading(reply: Reply) -> bool:
    """Whether a 503 says that the model is being loaded, as llama.cpp's does, and not that it cannot be."""
    words = refusal_of(reply).reason.lower()
    return "loading" in words and not any(sign in words for sign in ("fail", "error", "could not", "cannot", "unable"))
