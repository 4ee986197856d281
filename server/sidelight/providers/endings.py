"""How a model says that it is done, and what each way means: the words differ by vendor, the meanings do not."""

from __future__ import annotations

from sidelight.core.answer_text import AnswerText
from sidelight.core.answers import Finished
from sidelight.errors import ProviderError
from sidelight.messages import Message, msg

_LENGTH = ("length", "max_tokens", "max_length", "model_length")
_FILTER = ("content_filter", "content-filter", "safety", "recitation", "refusal", "sensitive")
# Who says so was not done: OpenRouter, vLLM and SGLang, DeepSeek, gateways.
_BROKEN = ("error", "abort", "aborted", "cancelled", "canceled", "timeout", "insufficient_system_resource",
           "network_error")  # fmt: skip
_TOOLS = ("tool_calls", "tool_call", "tool_use", "function_call")


def ending(said: AnswerText, reason: str, whose: str, error: ProviderError | None = None) -> Finished:
    """Return the end of an answer.

    ``reason`` is the vendor's word, empty where the stream ended without one, which is no end at all; ``error`` is what
    the server said inside the stream.
    """
    reason = reason.lower()
    if error is not None:
        return Finished("refused" if error.kind == "refused" else "cut_off", error)
    if reason in _FILTER:
        return Finished("refused", _filtered(whose))
    if not reason:
        return Finished("cut_off", _without_end(said, whose))
    if reason in _BROKEN:
        return Finished("cut_off", _broken(reason, whose))
    if reason in _TOOLS:
        return Finished("cut_off", _wants_tool(whose))
    if reason in _LENGTH:
        return Finished("length", _too_short(said, whose))
    if not said.has_text:
        return Finished("refused", _wordless(said, whose))
    return Finished("complete")


def _without_end(said: AnswerText, whose: str) -> ProviderError:
    if said.has_text or said.has_reasoning:
        return ProviderError(
            "cut_off",
            msg("{whose} ended the answer before it was complete.", whose=whose),
            msg("What came so far is kept. Look at the server's log: it may have run out of memory, or been stopped."),
        )
    return ProviderError(
        "cut_off",
        msg("{whose} ended without a word, and without saying why.", whose=whose),
        msg("Look at the server's log. A prompt that is too long for the model is a usual reason: choose a smaller "
            "part, or lower SIDELIGHT_PROMPT_TOKENS."),
    )  # fmt: skip


def _broken(reason: str, whose: str) -> ProviderError:
    return ProviderError(
        "cut_off",
        msg("{whose} broke the answer off: {reason}", whose=whose, reason=reason),
        msg("What came so far is kept. Ask again; if it stays so, look at the server's log."),
    )


def _filtered(whose: str) -> ProviderError:
    return ProviderError(
        "refused",
        msg("{whose} withheld the answer, or the rest of it: its content filter.", whose=whose),
        msg("Ask in other words, or ask another model."),
    )


def _wants_tool(whose: str) -> ProviderError:
    return ProviderError(
        "refused",
        msg("The model wanted to call a tool instead of answering, and {whose} was offered none.", whose=whose),
        msg("Ask again, or choose another model."),
    )


def _too_short(said: AnswerText, whose: str) -> ProviderError:
    what: Message = msg("The answer reached the greatest length that {whose} gives it.", whose=whose)
    if not said.has_text and said.has_reasoning:
        what = msg("The model was still thinking when it reached the greatest length that {whose} gives it.",
                   whose=whose)  # fmt: skip
    return ProviderError(
        "cut_off",
        what,
        msg("Raise SIDELIGHT_MAX_TOKENS if it is set, choose a smaller part, or give the model a larger context."),
    )


def _wordless(said: AnswerText, whose: str) -> ProviderError:
    if said.has_reasoning:
        return ProviderError(
            "refused",
            msg("The model only thought, and gave no answer."),
            msg("Ask again; if it stays so, switch its thinking off where the server can, or choose another model."),
        )
    return ProviderError("refused", msg("{whose} gave an empty answer.", whose=whose),
                         msg("Ask again, or choose another model."))  # fmt: skip
