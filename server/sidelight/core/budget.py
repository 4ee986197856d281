"""How large a prompt may be: what the user set, what the model reads at once, and room for its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil

from sidelight.core.context import Context
from sidelight.core.ports import Exchange, Prompt, Provider, Window
from sidelight.core.prompt import Budget, build_prompt
from sidelight.core.prompt_target import target_tokens
from sidelight.core.stopping import Stop
from sidelight.core.tasks import Task
from sidelight.core.tokens import estimate_tokens
from sidelight.errors import UsageError
from sidelight.messages import msg

# A window is shared by prompt and answer; an answer gets a quarter, but no more than it is likely to need.
_ANSWER_PART = 4
_ANSWER_TOKENS = 4096
# What a rewritten part needs besides itself: the sentences around it, and code that was added.
_REWRITE_MORE = 1.25
_REWRITE_WORDS = 256
# Counting by the model's own tokenizer costs a call; texts differ, so a margin stays.
_MARGIN = 1.05
# A tokenizer is asked about so much of a text that is too long: enough to tell what it makes of such text.
_SAMPLE_CHARACTERS = 40_000
# What a chat template may add around each message, and around all.
_AROUND_MESSAGE = 10
_AROUND_ALL = 30
# No tokenizer makes so many times more tokens of a text than we estimate: one a character is the most.
_SURELY_LESS = 5
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user set: the largest prompt, the longest answer (0: any), and orders for the model."""

    prompt_tokens: int
    max_tokens: int = 0
    orders: str = ""


@dataclass(frozen=True, slots=True)
class AskedModel:
    """Who is asked: a provider, and a model of it other than the configured one."""

    provider: Provider
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """A prompt, and the room that it leaves for the answer (0 where nobody knows).

    ``max_tokens`` is the longest answer to ask for, 0 for any: what the user set, where the window has room for it.
    """

    prompt: Prompt
    answer_tokens: int
    max_tokens: int = 0


def fit_prompt(
    task: Task, context: Context, earlier: Sequence[Exchange], limits: Limits, model: AskedModel, *, stop: Stop
) -> Fitted:
    """Return the prompt that fits the model's window and the user's limit. Raises ``UsageError`` or ``Stopped``.

    Estimates first; where they come near the limit, the model's own tokenizer is asked: the estimate errs high, so more
    may fit, and where it erred low, less does.
    """
    window = model.provider.window(model.name, stop)
    answer_tokens = _answer_tokens(task, context, limits, window)
    budget = _budget(limits, window, answer_tokens)
    count = partial(model.provider.count_tokens, model=model.name, stop=stop)
    build = partial(build_prompt, task, context, earlier=earlier)
    try:
        prompt = build(budget)
    except UsageError:
        sample = _sample(context, limits)
        if not (recounted := _recount(build, budget, sample, estimate_tokens(sample), count)):
            raise
        prompt = recounted
    else:
        if prompt.tokens > budget.tokens // _SURELY_LESS:
            prompt = _recount(build, budget, _whole(prompt), prompt.tokens, count) or prompt
    return Fitted(prompt, answer_tokens, _max_tokens(limits, window, prompt))


def _recount(
    build: Callable[[Budget], Prompt], budget: Budget, sample: str, estimated: int, count: Callable[[str], int | None]
) -> Prompt | None:
    """Build the prompt by the tokenizer's word on such text; None where there is none to ask."""
    counted = count(sample) if sample else None
    for _ in range(_TRIES):
        if not counted or not estimated:
            return None
        ratio = counted / estimated * _MARGIN
        prompt = build(replace(budget, weigh=partial(_scaled, ratio)))
        counted, estimated = count(_whole(prompt)), round(prompt.tokens / ratio)
        if counted is not None and counted <= budget.tokens:
            return replace(prompt, tokens=counted)
    return None


def _sample(context: Context, limits: Limits) -> str:
    """Return the beginnings of what may have been too long."""
    first, end = context.target.start.line, min(context.target_end, context.target.start.line + _SAMPLE_CHARACTERS)
    problems = (problem.message for problem in context.diagnostics)
    parts = [limits.orders, context.instruction, "\n".join(problems), "".join(context.lines[first:end])]
    return "".join(part[: _SAMPLE_CHARACTERS // len(parts)] for part in parts)


def _scaled(ratio: float, text: str) -> int:
    return ceil(estimate_tokens(text) * ratio)


def _whole(prompt: Prompt) -> str:
    earlier = (part for exchange in prompt.earlier for part in (exchange.user, exchange.assistant))
    return "\n".join([prompt.system, *earlier, prompt.user])


def _answer_tokens(task: Task, context: Context, limits: Limits, window: Window | None) -> int:
    """Return the room to leave for the answer."""
    if window is None:
        return limits.max_tokens
    usual = min(window.tokens // _ANSWER_PART, _ANSWER_TOKENS)
    if task.edits:
        half = window.tokens // 2
        rewritten = round(target_tokens(context, half) * _REWRITE_MORE) + _REWRITE_WORDS
        usual = max(usual, min(rewritten, half))
    return min(limits.max_tokens, window.tokens // 2) or usual


def _max_tokens(limits: Limits, window: Window | None, prompt: Prompt) -> int:
    """Return the longest answer to ask for: servers refuse one that the window has no room for beside the prompt."""
    if not limits.max_tokens or window is None or window.origin == "assumed":
        return limits.max_tokens
    around = _AROUND_ALL + _AROUND_MESSAGE * 2 * (1 + len(prompt.earlier))
    return max(1, min(limits.max_tokens, window.tokens - prompt.tokens - around))


def _budget(limits: Limits, window: Window | None, answer_tokens: int) -> Budget:
    if window is None or window.tokens - answer_tokens >= limits.prompt_tokens:
        hint = msg("Choose a smaller part, or raise SIDELIGHT_PROMPT_TOKENS if the model takes more.")
        return Budget(limits.prompt_tokens, hint, limits.orders)
    said = {
        "server": msg("the server says"), "configured": msg("by SIDELIGHT_CONTEXT_TOKENS"),
        "assumed": msg("assumed, because the server does not say; SIDELIGHT_CONTEXT_TOKENS sets it"),
    }[window.origin]  # fmt: skip
    hint = msg("Choose a smaller part, or a model that reads more. This one reads and writes {tokens} tokens together "
               "({said}).", tokens=window.tokens, said=said)  # fmt: skip
    return Budget(window.tokens - answer_tokens, hint, limits.orders)
