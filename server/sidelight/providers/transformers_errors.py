"""What can go wrong with a model on this machine, in the user's words: from the worker's codes, and its end."""

from __future__ import annotations

import signal

from sidelight.errors import ConfigurationError, ProviderError, SidelightError
from sidelight.messages import Message, msg, plain
from sidelight.providers.refusals import told
from sidelight.providers.transformers_process import Reply, WorkerEnded


def answer_error(reply: Reply, model: str) -> ProviderError:
    """Say why a loaded model does not answer."""
    code, words = reply.get("code"), plain(told(str(reply.get("text") or "")))
    if code == "too_long":
        return ProviderError(
            "too_long",
            msg("The prompt has {tokens} tokens, and {model} reads and writes {limit} together.",
                tokens=reply.get("tokens"), model=model, limit=reply.get("limit")),
            msg("Choose a smaller part, or a model that reads more."),
        )  # fmt: skip
    if code == "out_of_memory":
        return _out_of_memory(model, words)
    return ProviderError(
        "other",
        msg("{model} could not answer: {reason}", model=model, reason=words),
        msg("Ask again: the model is loaded anew if it has to be. The log may tell more."),
    )


def load_error(reply: Reply, model: str, python: str) -> SidelightError:
    """Say why a model could not be loaded."""
    code, words = reply.get("code"), plain(told(str(reply.get("text") or "")))
    if code in ("no_torch", "no_transformers"):
        return no_package(str(code).removeprefix("no_"), python)
    if code == "not_a_model":
        gguf = msg("A GGUF file is for llama.cpp or Ollama: let one of these run it, and connect Sidelight to that.")
        folder = msg(
            "Set SIDELIGHT_TRANSFORMERS_MODEL to a folder with config.json and weights, or to a name on the hub."
        )
        return ConfigurationError(
            msg("{model} is not a model that can be used: {reason}", model=model, reason=words),
            gguf if model.lower().endswith(".gguf") else folder,
        )
    if code == "own_code":
        return ConfigurationError(
            msg("{model} comes with code of its own, which Sidelight never runs.", model=model),
            msg("Choose a model that Transformers knows by itself."),
        )
    if code in ("not_downloaded", "offline"):
        return _not_here(model, is_offline=code == "offline")
    if code in ("no_such_model", "gated"):
        return ProviderError(
            "not_found" if code == "no_such_model" else "auth",
            msg("The hub does not give {model}: {reason}", model=model, reason=words),
            msg("Check the name. Some models want their terms accepted on the hub, and a token (HF_TOKEN)."),
        )
    if code == "network":
        return ProviderError(
            "network",
            msg("{model} could not be downloaded: {reason}", model=model, reason=words),
            msg("Ask again: what has come is kept. HF_ENDPOINT names another hub, HTTPS_PROXY a proxy."),
        )
    if code == "out_of_memory":
        return _out_of_memory(model, words)
    if code == "device":
        return ConfigurationError(
            msg("The model cannot be computed there: {reason}", reason=words),
            msg("Set SIDELIGHT_TRANSFORMERS_DEVICE to another device, or to auto."),
        )
    return ProviderError(
        "other", msg("{model} could not be loaded: {reason}", model=model, reason=words), msg("The log may tell more.")
    )


def no_package(package: str, python: str) -> ConfigurationError:
    """Say which package is missing where, and the line that installs it there."""
    program = f'"{python}"' if " " in python else python
    line = f"{program} -m pip install torch transformers"
    return ConfigurationError(
        msg("The Python that runs models has no {package}: {python}", package=package, python=python),
        msg("Install it: {line} (on Linux without a graphics card, torch's smaller CPU build will do). Or name another "
            "Python in SIDELIGHT_TRANSFORMERS_PYTHON.", line=line),
    )  # fmt: skip


def _not_here(model: str, *, is_offline: bool) -> ProviderError:
    hint = msg(
        "Set SIDELIGHT_TRANSFORMERS_DOWNLOAD=1 to let Sidelight download it from the hub, or name a model's folder."
    )
    if is_offline:
        hint = msg(
            "HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids the download: take it away, or name a model's folder."
        )
    return ProviderError("not_found", msg("The model {model} is not on this machine.", model=told(model)), hint)


def _out_of_memory(model: str, words: Message) -> ProviderError:
    return ProviderError(
        "other",
        msg("There is not enough memory for {model}: {reason}", model=model, reason=words),
        msg("Choose a smaller model or a smaller part, or set SIDELIGHT_TRANSFORMERS_DTYPE=bfloat16."),
    )


def ended_error(ended: WorkerEnded, model: str) -> ProviderError:
    """Say how the process came to its end."""
    if ended.code < 0:
        try:
            name = signal.Signals(-ended.code).name
        except ValueError:
            name = str(-ended.code)
        what = msg("The process of {model} was killed ({name}).", model=model, name=name)
        if name == "SIGKILL":
            return ProviderError(
                "cut_off",
                what,
                msg("Most often that is the system, out of memory: choose a smaller model. The next question starts "
                    "the model again."),
            )  # fmt: skip
    else:
        code = hex(ended.code) if ended.code > 255 else ended.code
        what = msg("The process of {model} ended by itself ({code}).", model=model, code=code)
    if ended.last_words:
        return ProviderError(
            "cut_off",
            what,
            msg("Its last words: {words} (the next question starts it again)", words=plain(told(ended.last_words))),
        )
    return ProviderError("cut_off", what, msg("The next question starts the model again. The log may tell more."))


def no_python(python: str) -> ConfigurationError:
    """Say that an interpreter is missing or cannot be run."""
    return ConfigurationError(
        msg("There is no Python at {python}", python=python or "-"),
        msg("Set SIDELIGHT_TRANSFORMERS_PYTHON to one that has torch and transformers."),
    )
