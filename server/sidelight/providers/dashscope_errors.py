"""What DashScope's refusals mean, by its codes and words (.../model-studio/error-code, read October 2026)."""

from __future__ import annotations

from sidelight.errors import ProviderError
from sidelight.messages import Message, msg
from sidelight.providers.dashscope_config import CHINA, DEFAULT_ADDRESS, HONG_KONG, SINGAPORE, US, DashScopeConfig
from sidelight.providers.http_reply import Reply, redirect_error
from sidelight.providers.refusals import Refusal, no_such_model, reason_of, refusal_of


def error_of_reply(reply: Reply, config: DashScopeConfig, model: str) -> ProviderError | None:
    """Say what a reply means that is not a stream of events; None where it is an answer all the same."""
    refusal = refusal_of(reply, config.key)
    body = reply.json()
    if 300 <= reply.status < 400:
        return redirect_error(reply, "DASHSCOPE_BASE_URL")
    if reply.status == 200 and isinstance(body, dict) and body.get("output"):
        return None
    if refusal.code == "invalidurl" or (not refusal.code and reply.status in (200, 404, 405)):
        return not_the_api(config)
    return error_of(refusal, config, model)


def not_the_api(config: DashScopeConfig) -> ProviderError:
    """Say that something else answers there."""
    return ProviderError(
        "not_found",
        msg("{url} is not the address of DashScope's API: it answers with something else.", url=config.address),
        msg("Set DASHSCOPE_BASE_URL to the address of your region, such as {url}.", url=DEFAULT_ADDRESS),
    )


def error_of(refusal: Refusal, config: DashScopeConfig, model: str) -> ProviderError:
    """Say what an error means: by its code and words (.../model-studio/error-code), else by its status."""
    words = f"{refusal.code} {refusal.reason}".lower()
    reason = reason_of(refusal)
    if refusal.status == 401 or "invalidapikey" in words or "invalid_api_key" in words:
        return _refused_key(refusal, config)
    if "url error" in words:  # Qwen3.5 and newer, qwen-vl and all others that also see or hear
        return ProviderError(
            "not_found",
            msg("DashScope serves the model {model} by another API than its text generation.", model=model),
            msg("Set SIDELIGHT_PROVIDER=openai, OPENAI_BASE_URL={url}, OPENAI_API_KEY and OPENAI_MODEL={model}, or "
                "choose a model for text alone, such as qwen-plus.", url=config.compatible, model=model),
        )  # fmt: skip
    if "datainspection" in words or "inappropriate content" in words:
        return ProviderError(
            "refused",
            msg("DashScope's content filter refused: {reason}", reason=reason),
            msg("Ask in other words, or about another part; the filter looks at the code as well."),
        )
    if any(sign in words for sign in ("arrear", "overdue", "good standing", "freetieronly", "unpurchased")):
        return ProviderError(
            "auth",
            msg("The account at DashScope cannot pay for this: {reason}", reason=reason),
            msg("Look at the bills, and at the free quota of {model}, in the console of Model Studio.", model=model),
        )
    if any(sign in words for sign in ("input length", "context length", "too long", "input tokens")):
        return ProviderError(
            "too_long",
            msg("The prompt is too long for {model}: {reason}", model=model, reason=reason),
            msg("Choose a smaller part, or set SIDELIGHT_CONTEXT_TOKENS to what the model really reads."),
        )
    if lacks_model(refusal):
        return no_such_model(model, (), "DashScope", model_hint(model))
    if "accessdenied" in words or "access_denied" in words or refusal.status == 403:
        return ProviderError("auth", msg("DashScope does not let this key use {model}: {reason}", model=model,
                                         reason=reason), model_hint(model))  # fmt: skip
    if "throttling" in words or refusal.status == 429:
        return ProviderError(
            "rate_limit",
            msg("DashScope is asked too much at once: {reason}", reason=reason),
            msg("Wait a little, then ask again; if it stays so, the account's quota for {model} is used up.",
                model=model),
        )  # fmt: skip
    if "invalidparameter" in words or "invalid_parameter" in words:
        hint = msg("Check DASHSCOPE_MODEL, SIDELIGHT_TEMPERATURE and SIDELIGHT_MAX_TOKENS.")
        return ProviderError("other", msg("DashScope did not accept the request: {reason}", reason=reason), hint)
    return ProviderError(
        refusal.kind,
        msg("DashScope could not answer: {reason}", reason=reason),
        msg("Ask again in a while. What came so far is kept."),
    )


def lacks_model(refusal: Refusal) -> bool:
    """Whether a refusal means that there is no such model."""
    signs = ("modelnotfound", "model_not_found", "model not exist", "model not found")
    return any(sign in f"{refusal.code} {refusal.reason}".lower() for sign in signs)


def model_hint(model: str) -> Message:
    """Say where to look for a model that can be used."""
    return msg("Run `sidelight models` to see what there is, and choose one: not every region and not every key has "
               "{model}.", model=model)  # fmt: skip


def _refused_key(refusal: Refusal, config: DashScopeConfig) -> ProviderError:
    if config.key_withheld:
        return ProviderError(
            "auth",
            msg("{url} wants a key, and yours was not sent there.", url=config.address),
            msg("Your key belongs to another address. Set DASHSCOPE_BASE_URL in your own configuration if you trust "
                "this one."),
        )  # fmt: skip
    if not config.key:
        return ProviderError("auth", msg("DashScope wants a key, and none is set."), msg("Set DASHSCOPE_API_KEY."))
    return ProviderError(
        "auth",
        msg("DashScope did not accept the key: {reason}", reason=reason_of(refusal)),
        msg("Check DASHSCOPE_API_KEY. A key works in its own region only, and DASHSCOPE_BASE_URL has to name that: "
            "China {china}, Singapore {singapore}, US {us}, Hong Kong {hong_kong}, or your workspace's own address.",
            china=CHINA, singapore=SINGAPORE, us=US, hong_kong=HONG_KONG),
    )  # fmt: skip
