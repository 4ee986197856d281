"""A model on this machine, with Transformers (https://huggingface.co/docs/transformers; read at 5.23, August 2026).

What is peculiar: no server, but a process of our own, so that torch's memory, crashes and seconds of importing are not
the language server's. It starts at the first question, is shared by all, one question at a time, and ends after idle
time. Its protocol is in ``transformers_worker.py``, how it is held in ``transformers_process.py``, what lies on this
machine in ``transformers_cache.py``, and what can go wrong in ``transformers_errors.py``.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import weakref
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePath
from time import monotonic
from typing import Any

from sidelight.core.answer_text import AnswerText
from sidelight.core.answers import AnswerEvent, Note, Status, Usage, merge_text
from sidelight.core.ports import Check, Model, Request, Window
from sidelight.core.stopping import Stop
from sidelight.core.wire.surrogates import whole
from sidelight.errors import ConfigurationError, ProviderError
from sidelight.messages import Message, msg, plain
from sidelight.providers.chat import messages_of
from sidelight.providers.endings import ending
from sidelight.providers.refusals import told
from sidelight.providers.transformers_cache import cached_models, context_tokens, find_files, is_folder, is_hub_name
from sidelight.providers.transformers_errors import answer_error, ended_error, load_error, no_package, no_python
from sidelight.providers.transformers_process import Reply, Turns, Worker, WorkerEnded

# Who

WORKER = Path(__file__).with_name("transformers_worker.py")
# Not -I: that would hide what users install for themselves (pip install --user). PYTHONPATH, which may name an opened
# folder, is ignored all the same, the working directory is not looked into, and the worker leaves its own folder out.
_OPTIONS = ("-E",)
_ASSUMED_TOKENS = 4096
_COUNT_S = 5.0
_CHECK_S = 120.0
# A stopped question ends the process if it must: loading cannot be interrupted, and a slow layer ends some time.
_GRACE_LOADING_S = 2.0
_GRACE_ANSWERING_S = 10.0


@dataclass(frozen=True, slots=True)
class TransformersConfig:
    """``model`` is a folder's absolute path or a name on the hub; ``python`` is empty for the one that runs us."""

    model: str = ""
    python: str = ""
    download: bool = False
    device: str = "auto"
    dtype: str = "auto"
    idle_s: float = 900.0
    temperature: float | None = None
    context_tokens: int = 0


# Out


def encode(config: TransformersConfig, request: Request) -> dict[str, Any]:
    """Return the fields of the order for one question."""
    return {
        "messages": messages_of(request.prompt),
        "max_new_tokens": request.max_tokens,
        "temperature": config.temperature,
    }


# In


class TransformersDecoder:
    """The events of one answer; replies to other questions are passed over."""

    def __init__(self, number: int, model: str) -> None:
        self._number = number
        self._model = model
        self._said = AnswerText()
        self._reason = ""
        self._error: ProviderError | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the last reply has come."""
        return bool(self._reason) or self._error is not None

    def feed(self, replies: list[Reply]) -> list[AnswerEvent]:
        """Take replies; return the answer events that they make, neighbouring text joined."""
        return merge_text(event for reply in replies if reply.get("id") == self._number for event in self._event(reply))

    def finish(self, error: ProviderError | None = None) -> list[AnswerEvent]:
        """Say that no more comes, and what ended it; the last event is ``Finished``."""
        events = self._said.finish()
        return [*events, ending(self._said, self._reason, self._model, error or self._error)]

    def _event(self, reply: Reply) -> Iterator[AnswerEvent]:
        kind = reply["is"]
        if kind == "piece":
            yield from self._said.feed(reply.get("text"))
        elif kind == "finished":
            self._reason = str(reply.get("finish") or "stop")
            yield Usage(_count(reply.get("prompt_tokens")), _count(reply.get("completion_tokens")))
        elif kind == "error":
            self._error = answer_error(reply, self._model)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


# Wire


class Transformers:
    """The provider ``transformers``. Keep one as long as its settings hold: the model lives as long as it does."""

    name = "transformers"
    tells_truncation = True
    remembers = False

    def __init__(self, config: TransformersConfig, worker: Path = WORKER) -> None:
        self._config = config
        self._worker_file = worker
        self._turns = Turns()
        self._worker: Worker | None = None
        self._used_at = 0.0
        self._timer: threading.Timer | None = None
        self._timing = threading.Lock()

    @property
    def model(self) -> str:
        """The configured model."""
        return self._config.model

    @property
    def place(self) -> str:
        """Nowhere: the model runs on this machine."""
        return ""

    def stream(self, request: Request, stop: Stop) -> Iterator[AnswerEvent]:
        """Ask the model, when it is this question's turn; it is loaded first where it is not."""
        stop.raise_if_set()
        model = self._checked(request.model or self._config.model)
        ticket = self._turns.join()
        try:
            if not self._turns.is_turn(ticket):
                yield Status(msg("waiting for the model"))
            self._turns.wait(ticket, stop)
            yield from self._ask(model, request, stop)
        finally:
            self._turns.leave(ticket)
            self._rest()

    def window(self, model: str | None, stop: Stop) -> Window | None:  # noqa: ARG002, the port's signature
        """Return what the user set, what the model said when it was loaded, or what its files say."""
        if self._config.context_tokens:
            return Window(self._config.context_tokens, "configured")
        name, worker = os.path.expanduser(model or self._config.model), self._worker
        facts = worker.facts if worker and worker.model == name else None
        folder = None if facts else find_files(name)
        tokens = facts.context_tokens if facts else folder and context_tokens(folder)
        return Window(tokens, "server") if tokens else Window(_ASSUMED_TOKENS, "assumed")

    def count_tokens(self, text: str, model: str | None, stop: Stop) -> int | None:
        """Ask the model's tokenizer where it is loaded and has nothing else to do."""
        stop.raise_if_set()
        ticket = self._turns.try_join()
        if ticket is None:
            return None
        try:
            worker = self._alive(os.path.expanduser(model or self._config.model))
            return _counted(worker, text, stop) if worker and not worker.is_busy else None
        except WorkerEnded:
            return None
        finally:
            self._turns.leave(ticket)

    def models(self) -> list[Model]:
        """Return the configured model, and those in the hub's cache."""
        cached = cached_models()
        name = self._config.model
        if not name or name in (it.id for it in cached):
            return cached
        folder = find_files(name)
        return [Model(name, _short(name), context_tokens=context_tokens(folder) if folder else None), *cached]

    def checks(self) -> Iterator[Check]:
        """Examine Python, its packages, the device, and whether the model is on this machine."""
        python = self._python()
        found = self._versions(python)
        yield Check(
            "ok", msg("Models run with {python}, Python {version}.", python=python, version=found.get("python"))
        )
        for package in ("torch", "transformers"):
            if not found.get(package):
                raise no_package(package, python)
        if problem := found.get("problem"):
            raise ProviderError("other", msg("torch cannot be used: {reason}", reason=plain(told(str(problem)))),
                                msg("Install it anew in {python}.", python=python))  # fmt: skip
        devices = ", ".join(found.get("devices") or ())
        yield Check("ok", msg("torch {torch}, Transformers {transformers}; devices: {devices}", torch=found["torch"],
                              transformers=found["transformers"], devices=devices))  # fmt: skip
        model = self._checked(self._config.model)
        if find_files(model):
            yield Check("ok", msg("The model {model} is on this machine.", model=model))
        elif is_folder(model) or not self._config.download:
            raise load_error({"code": "not_a_model" if is_folder(model) else "not_downloaded",
                              "text": "config.json or weights are missing"}, model, python)  # fmt: skip
        else:
            yield Check("note", msg("The model {model} will be downloaded at the first question.", model=model))

    def close(self) -> None:
        """Unload the model; a later question loads it again."""
        if self._timer:
            self._timer.cancel()
        worker, self._worker = self._worker, None
        if worker:
            worker.end()
            worker.wait()

    def _ask(self, model: str, request: Request, stop: Stop) -> Iterator[AnswerEvent]:
        is_reused = self._alive(model) is not None
        worker = yield from self._loaded(model, stop)
        yield Status(msg("asking {model}", model=_short(model)))
        worker.order("generate", **encode(self._config, request))
        decoder, has_begun = TransformersDecoder(worker.asked, _short(model)), False
        try:
            if worker.facts and not worker.facts.has_template:
                yield Note(_no_template(_short(model)), is_warning=True)
            with closing(worker.listen(stop)) as replies:
                for bunch in replies:
                    has_begun = True
                    yield from decoder.feed(bunch)
                    if decoder.is_complete:
                        break
            stop.raise_if_set()
            yield from decoder.finish()
        except WorkerEnded as ended:
            self._worker = None
            if is_reused and not has_begun:  # it had ended before it was asked, unnoticed
                yield from self._ask(model, request, stop)
            else:
                yield from decoder.finish(ended_error(ended, _short(model)))
        finally:
            if not decoder.is_complete:
                worker.order("stop")

    def _loaded(self, model: str, stop: Stop) -> Generator[Status, None, Worker]:
        """Return a worker that has the model, and say how far it is meanwhile."""
        worker = self._alive(model) or self._started(model)
        if worker.facts:
            return worker
        loading = msg("loading {model}", model=_short(model))
        yield Status(loading, if_silent=loading)
        try:
            with closing(worker.listen(stop)) as replies:
                for reply in (it for bunch in replies for it in bunch):
                    if reply["is"] == "progress":
                        yield Status(_progress(reply, _short(model)))
                    elif reply["is"] == "error":
                        self.close()
                        raise load_error(reply, model, self._python())
                    elif reply["is"] == "loaded":
                        break
        except WorkerEnded as ended:
            self._worker = None
            raise ended_error(ended, _short(model)) from ended
        return worker

    def _alive(self, model: str) -> Worker | None:
        worker = self._worker
        return worker if worker and worker.is_alive and worker.model == model else None

    def _started(self, model: str) -> Worker:
        self.close()  # one model at a time
        python = self._python()
        try:
            worker = Worker([python, *_OPTIONS, str(self._worker_file)], str(Path(python).parent), model)
        except OSError as error:
            raise no_python(python) from error
        config = self._config
        worker.order(
            "load", model=model, device=config.device, dtype=config.dtype, download=config.download,
            context_tokens=config.context_tokens,
        )  # fmt: skip
        self._worker = worker
        return worker

    def _rest(self) -> None:
        """Have somebody look later whether the worker is still wanted."""
        self._used_at = monotonic()
        if worker := self._worker:
            self._look_in(self._patience_s(worker), worker)

    def _look_in(self, seconds: float, worker: Worker) -> None:
        with self._timing:  # two questions may end at once
            if self._timer:
                self._timer.cancel()
            self._timer = _later(seconds, self, worker)

    def _patience_s(self, worker: Worker) -> float:
        if not worker.is_busy:
            return self._config.idle_s
        return _GRACE_ANSWERING_S if worker.facts else _GRACE_LOADING_S

    def _look(self, worker: Worker) -> None:
        """End the worker if nobody has wanted it for long enough; else look again."""
        ticket = self._turns.try_join()
        if ticket is None:  # in use; who uses it has us look again
            return
        try:
            left_s = self._used_at + self._patience_s(worker) - monotonic()
            if worker is not self._worker:
                return
            if left_s > 0:
                self._look_in(left_s, worker)
            else:
                self.close()
        finally:
            self._turns.leave(ticket)

    def _versions(self, python: str) -> dict[str, Any]:
        """Return what the worker says it has."""
        try:
            worker = Worker([python, *_OPTIONS, str(self._worker_file), "--check"], str(Path(python).parent), "")
        except OSError as error:
            raise no_python(python) from error
        try:
            for bunch in worker.listen(Stop(), _CHECK_S):
                return next((reply for reply in bunch if reply["is"] == "check"), {})
        except WorkerEnded as ended:
            raise ended_error(ended, python) from ended
        finally:
            worker.end()
        raise ConfigurationError(msg("{python} says nothing.", python=python), msg("Is it a Python?"))

    def _python(self) -> str:
        """Return the interpreter's absolute path; a virtual environment's folder will do as well."""
        said = os.path.expanduser(self._config.python) or sys.executable
        found: str | None = os.path.abspath(said)
        if PurePath(said).name == said:  # a bare name; Windows would look in the working directory first
            found = shutil.which(said)
            found = found if found and Path(found).absolute().parent != Path.cwd() else None
        if found and os.path.isdir(found):
            found = os.path.join(found, *(("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")))
        if not found or not os.path.isfile(found):
            raise no_python(said)
        return os.path.abspath(found)

    def _checked(self, model: str) -> str:
        """Return the model's name as it is used; raises where it is none."""
        model = os.path.expanduser(model)
        if is_folder(model) or is_hub_name(model):
            return model
        raise ConfigurationError(
            msg("No model is chosen.") if not model else msg("{model} is no model: neither an absolute path nor a name "
                                                              "on the hub.", model=told(model)),
            msg("Set SIDELIGHT_TRANSFORMERS_MODEL to a folder with an absolute path, or to a name on the hub such as "
                "owner/name."),
        )  # fmt: skip


def _later(seconds: float, provider: Transformers, worker: Worker) -> threading.Timer:
    """Call ``_look`` then, unless nobody holds the provider any more."""
    provider_ref, worker_ref = weakref.ref(provider), weakref.ref(worker)

    def look() -> None:
        held, wanted = provider_ref(), worker_ref()
        if held and wanted:
            held._look(wanted)  # noqa: SLF001, a part of the class that must not hold it

    timer = threading.Timer(seconds, look)
    timer.daemon = True
    timer.start()
    return timer


def _no_template(model: str) -> Message:
    return msg("{model} has no chat template, so it may not answer as asked. Models for chats have one; their names "
               "often end in Instruct.", model=model)  # fmt: skip


def _counted(worker: Worker, text: str, stop: Stop) -> int | None:
    worker.order("count", text=whole(text))
    with closing(worker.listen(stop, _COUNT_S)) as replies:
        for reply in (it for bunch in replies for it in bunch):
            if reply.get("id") == worker.asked:
                return _count(reply.get("tokens"))
    return None


def _progress(reply: Reply, model: str) -> Message:
    percent = reply.get("percent")
    if not isinstance(percent, int):
        return msg("loading {model}", model=model)
    if reply.get("what") == "download":
        return msg("downloading {model}: {percent} %", model=model, percent=percent)
    return msg("loading {model}: {percent} %", model=model, percent=percent)


def _short(model: str) -> str:
    """Return a model's name for people: a folder's own name."""
    return PurePath(model).name if is_folder(model) else model
