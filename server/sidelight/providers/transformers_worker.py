"""A model in a process of its own: Transformers, spoken to in JSON lines on stdin and stdout.

Self-contained: the standard library, torch and transformers, nothing of Sidelight's, so that any Python from 3.9 on
runs it (``python -E transformers_worker.py``). Nothing from an opened folder is imported (``-E`` and the working
directory are the starter's part), no code that comes with a model runs (``trust_remote_code`` is off, weights are
safetensors or ``torch.load`` with ``weights_only``), and it ends by itself, whatever it is doing, when stdin closes.

Orders, one JSON object a line, done one after the other; ``id`` is the asker's and comes back with what answers::

    {"do": "load", "model", "device", "dtype", "download", "context_tokens"}   first, and once
    {"do": "generate", "id", "messages": [{"role", "content"}], "max_new_tokens", "temperature"}   0: any; null: own
    {"do": "count", "id", "text"}
    {"do": "stop", "id"}                        at once: in the prompt within a layer, in the answer at a token

What it says::

    {"is": "progress", "what": "import" | "download" | "read", "percent": 0 to 100 or null}
    {"is": "loaded", "context_tokens": number or null, "device", "dtype", "has_template"}
    {"is": "started", "id", "prompt_tokens"}
    {"is": "piece", "id", "text"}               one a token, but never half a character
    {"is": "finished", "id", "finish": "stop" | "length" | "stopped", "prompt_tokens", "completion_tokens"}
    {"is": "tokens", "id", "tokens"}
    {"is": "error", "id": null or the order's, "code", "text"}      "tokens" and "limit" too with ``too_long``

Codes: no_torch, no_transformers, not_a_model, own_code, not_downloaded, offline, no_such_model, gated, network,
out_of_memory, device, too_long, other. A load that failed may be tried again; only ``device`` may end the process.
With ``--check`` as its argument it says what it has, as one line of JSON, and ends.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # Beside this file lie modules with the names of others (``transformers``): never look here.
    _HERE = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.realpath(folder) != _HERE]

import copy
import json
import platform
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from importlib import import_module, metadata, util
from time import monotonic
from typing import Any, NamedTuple

Order = dict[str, Any]

_NO_CHARACTER = "\ufffd"
# Half a character is shown as one of these, or as one for each of its bytes, of which the last is missing.
_MOST_PARTS = 3
# Among so many tokens there is a place between whole characters, or it is no text.
_MOST_HELD = 64
# Where neither model nor user says how long an answer may become.
_LONGEST_ANSWER = 4096
_LONGEST_TEXT = 500
_CACHE_POLL_S = 0.5
_SAY_S = 0.1
# Of the free memory, as much may be taken for numbers that are wider than the model's own.
_ROOMY = 0.6
_WIDTHS = {"float32": 4, "float16": 2, "bfloat16": 2, "float64": 8}
_FILES = ("*.json", "*.jinja", "*.txt", "*.model", "*.safetensors")
# Marks of reasoning that some tokenizers count among their special tokens, which are left out otherwise.
_MARKS = {
    "<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<think>", "</think>", "[THINK]", "[/THINK]",
    "<|begin_of_thought|>", "<|end_of_thought|>", "<seed:think>", "</seed:think>",
}  # fmt: skip
_OPENINGS = ("<think>", "<thinking>", "<thought>", "<reasoning>", "<seed:think>", "[THINK]")
# Ends of a turn; some models' generation settings name only the end of a text.
_TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>", "<|end_of_turn|>", "<|endofturn|>")


class Refused(Exception):
    """What is answered with an error; ``more`` are its further fields."""

    def __init__(self, code: str, text: str, **more: Any) -> None:
        super().__init__(text)
        self.code = code
        self.more = more


class StoppedHere(BaseException):
    """Leaves ``generate`` from within: whatever catches ``Exception`` there must not catch this."""


class Pieces:
    """Turns tokens into pieces of text, one a token; what may still be half a character is held back.

    A token's text depends on its neighbours (a space before a word), so those since the last but one place between
    whole characters are decoded again with it.
    """

    def __init__(self, decode: Callable[[list[int]], str]) -> None:
        self._decode = decode
        self._tokens: list[int] = []
        self._old = 0  # so many of the tokens are there for their neighbours' sake
        self._said = 0  # so many characters of their text are in pieces

    def add(self, token: int) -> str:
        """Take a token; return what is whole by now."""
        self._tokens.append(token)
        text = self._decode(self._tokens)
        if not text.endswith(_NO_CHARACTER):
            return self._cut(text)
        if len(self._tokens) > _MOST_HELD:
            return self.finish()
        whole = len(text.rstrip(_NO_CHARACTER))
        return self._piece(text, max(whole, len(text) - _MOST_PARTS))

    def finish(self) -> str:
        """Return what was held back, and begin anew."""
        text = self._decode(self._tokens)
        piece = self._piece(text, len(text))
        self._tokens, self._old, self._said = [], 0, 0
        return piece

    def _cut(self, text: str) -> str:
        """Return the rest of the text, and forget the tokens that have no more to say."""
        piece = self._piece(text, len(text))
        self._tokens = self._tokens[self._old :]
        self._old = len(self._tokens)
        self._said = len(self._decode(self._tokens))
        return piece

    def _piece(self, text: str, end: int) -> str:
        piece, self._said = text[self._said : end], max(self._said, end)
        return piece


class Output:
    """Lines of JSON to the process that started this one; safe to use from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def say(self, kind: str, /, **fields: Any) -> None:
        """Write one line; ends the process where nobody reads any more."""
        line = json.dumps({"is": kind, **fields}).encode("ascii") + b"\n"
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:
                os._exit(0)


class Worker:
    """One model: loads it, and answers one order after the other in the main thread."""

    def __init__(self, output: Output) -> None:
        self._say = output.say
        self._orders: queue.Queue[Order] = queue.Queue()
        self._stopped: set[int] = set()
        self._model: LoadedModel | None = None

    def take(self, line: bytes) -> None:
        """Take an order; called by the thread that reads."""
        try:
            order = json.loads(line)
        except ValueError:
            order = None
        if not isinstance(order, dict):
            self._say("error", id=None, code="other", text="an order is a JSON object")
            return
        if order.get("do") == "stop":
            self._stopped.add(order.get("id", 0))
        else:
            self._orders.put(order)

    def run(self) -> None:
        """Do what is ordered, for ever."""
        while True:
            order = self._orders.get()
            try:
                self._do(order)
            except Exception as error:  # noqa: BLE001, the rim of the process: the asker tells the user
                refused = refused_by(error)
                self._say("error", id=order.get("id"), code=refused.code, text=told(str(refused)), **refused.more)
                if refused.code == "device" and self._model is not None:
                    os._exit(3)  # after a fault of the device nothing works in this process

    def _do(self, order: Order) -> None:
        what = order.get("do")
        if what == "load":
            self._model = LoadedModel.load(checked(order, model=str, device=str, dtype=str), self._say)
            self._say("loaded", **self._model.facts)
            return
        if self._model is None:
            raise Refused("other", "no model is loaded")
        if what == "generate":
            self._generate(self._model, checked(order, id=int, messages=list))
        elif what == "count":
            text = checked(order, id=int, text=str)["text"]
            self._say("tokens", id=order["id"], tokens=self._model.count(text))
        else:
            raise Refused("other", f"no such order: {what}")

    def _generate(self, model: LoadedModel, order: Order) -> None:
        number = order["id"]
        try:
            model.generate(order, self._say, lambda: number in self._stopped)
        finally:
            self._stopped.discard(number)


def checked(order: Order, **kinds: type) -> Order:
    """Return the order; raises ``Refused`` where a field is missing or of another type."""
    for name, kind in kinds.items():
        if not isinstance(order.get(name), kind):
            raise Refused("other", f"{name} must be {kind.__name__}")
    for message in order.get("messages", ()):
        if not isinstance(message, dict) or not isinstance(message.get("content"), str) or "role" not in message:
            raise Refused("other", "a message has a role and a content")
    return order


# Loading


class LoadedModel:
    """A model and its tokenizer."""

    def __init__(self, torch: Any, tokenizer: Any, model: Any, context_tokens: int | None) -> None:
        self._torch = torch
        self._tokenizer = tokenizer
        self._model = model
        self._context_tokens = context_tokens
        self._ends = ends_of(tokenizer, model.generation_config)
        marks = {tokenizer.convert_tokens_to_ids(mark) for mark in _MARKS & set(tokenizer.all_special_tokens)}
        self._unsaid = (set(tokenizer.all_special_ids) - marks) | self._ends

    @classmethod
    def load(cls, order: Order, say: Callable[..., None]) -> LoadedModel:
        """Read the model from this machine, or from the hub where that is allowed."""
        may_download = order.get("download") is True
        prepare_environment(may_download=may_download)
        for package in ("torch", "transformers"):
            if util.find_spec(package) is None:
                raise Refused(f"no_{package}", f"{sys.executable} has no {package}")
        folder = find_folder(order["model"], say, may_download=may_download)
        say("progress", what="import", percent=None)
        torch: Any = import_module("torch")
        transformers: Any = import_module("transformers")

        device, dtype = choose(torch, order["device"], order["dtype"], Weights.of(folder))
        say("progress", what="read", percent=0)
        transformers.utils.logging.disable_progress_bar()
        if hasattr(transformers.utils.logging, "set_tqdm_hook"):
            transformers.utils.logging.set_tqdm_hook(lambda _factory, args, kwargs: Bar(say, *args, **kwargs))
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder, trust_remote_code=False, local_files_only=True
            )  # fmt: skip
            model = read_model(transformers, folder, device, dtype)
        except (Refused, ImportError, MemoryError):
            raise
        except Exception as error:
            raise unreadable(error) from error
        limit = order.get("context_tokens") or context_of(model.config, tokenizer)
        return cls(torch, tokenizer, model.to(device).eval(), limit)

    @property
    def facts(self) -> dict[str, Any]:
        """What is said of it when it is loaded."""
        return {
            "context_tokens": self._context_tokens,
            "device": str(self._model.device),
            "dtype": str(self._model.dtype).replace("torch.", ""),
            "has_template": bool(self._tokenizer.chat_template),
        }

    def count(self, text: str) -> int:
        """Return how many tokens a text has."""
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def generate(self, order: Order, say: Callable[..., None], is_stopped: Callable[[], bool]) -> None:
        """Answer, piece by piece."""
        number = order["id"]
        text, is_templated = prompt_of(self._tokenizer, order["messages"])
        inputs = self._tokenizer(text, return_tensors="pt", add_special_tokens=not is_templated)
        prompt_tokens = int(inputs["input_ids"].shape[-1])
        longest = answer_length(prompt_tokens, self._context_tokens, order.get("max_new_tokens") or 0)
        say("started", id=number, prompt_tokens=prompt_tokens)
        if opening := next((tag for tag in _OPENINGS if text.rstrip().endswith(tag)), ""):
            say("piece", id=number, text=opening)  # the template began the reasoning, the model will only end it
        streamer = Streamer(self._decode, self._unsaid, lambda piece: say("piece", id=number, text=piece), is_stopped)
        hooks = self._hooks(is_stopped)
        streamer.on_first = lambda: [hook.remove() for hook in hooks]
        try:
            self._model.generate(
                input_ids=inputs["input_ids"].to(self._model.device),
                attention_mask=inputs["attention_mask"].to(self._model.device),
                generation_config=self._settings(longest, order.get("temperature")),
                streamer=streamer,
            )
            finish = "stop" if streamer.last in self._ends else "length"
        except StoppedHere:
            finish = "stopped"
        finally:
            streamer.on_first()
            if self._torch.cuda.is_available():
                self._torch.cuda.empty_cache()
        counts = {"prompt_tokens": prompt_tokens, "completion_tokens": streamer.count}
        say("finished", id=number, finish=finish, **counts)

    def _decode(self, tokens: list[int]) -> str:
        text = self._tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return str(text)

    def _settings(self, longest: int, temperature: float | None) -> Any:
        """Return the model's own way of choosing words, with what was ordered."""
        settings = copy.deepcopy(self._model.generation_config)
        settings.max_new_tokens = longest
        settings.num_beams = settings.num_return_sequences = 1
        settings.eos_token_id = sorted(self._ends) or None
        if settings.pad_token_id is None and self._ends:
            settings.pad_token_id = min(self._ends)
        if temperature:
            settings.do_sample, settings.temperature = True, float(temperature)
        elif temperature is not None:
            settings.do_sample = False
            settings.temperature = settings.top_p = settings.top_k = settings.min_p = None
        return settings

    def _hooks(self, is_stopped: Callable[[], bool]) -> list[Any]:
        """Make every part of a layer look whether to stop: a long prompt is read for minutes before the first token."""

        def look(*_ignored: Any) -> None:
            if is_stopped():
                raise StoppedHere

        parts = (part for part in self._model.modules() if next(part.children(), None) is None)
        return [part.register_forward_pre_hook(look) for part in parts]


class Streamer:
    """What ``generate`` hands its tokens to; also where it is stopped."""

    def __init__(
        self, decode: Callable[[list[int]], str], unsaid: set[int], say: Callable[[str], None],
        is_stopped: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._pieces = Pieces(decode)
        self._unsaid = unsaid
        self._say = say
        self._is_stopped = is_stopped
        self._has_prompt = False
        self.on_first: Callable[[], Any] = lambda: None
        self.count = 0
        self.last = -1

    def put(self, value: Any) -> None:
        """Take the prompt first, then a token each time."""
        if not self._has_prompt:
            self._has_prompt = True
            return
        if self._is_stopped():
            raise StoppedHere
        if not self.count:
            self.on_first()
        for token in value.flatten().tolist():
            self.count += 1
            self.last = token
            piece = self._pieces.finish() if token in self._unsaid else self._pieces.add(token)
            if piece:
                self._say(piece)

    def end(self) -> None:
        """Say what was held back."""
        if piece := self._pieces.finish():
            self._say(piece)


class Bar:
    """Stands where Transformers would draw a progress bar: says each whole percent instead."""

    def __init__(self, say: Callable[..., None], iterable: Any = (), *_args: Any, **kwargs: Any) -> None:
        self._say = say
        self._iterable = iterable
        self._total = kwargs.get("total") or (len(iterable) if hasattr(iterable, "__len__") else 0)

    def __iter__(self) -> Iterator[Any]:
        said_at = 0.0
        for number, item in enumerate(self._iterable, 1):
            yield item
            if self._total and monotonic() - said_at > _SAY_S:
                said_at = monotonic()
                self._say("progress", what="read", percent=100 * number // self._total)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_args, **_kwargs: None


def prepare_environment(*, may_download: bool) -> None:
    """Set what the libraries read when they are imported: nothing from the network unless that is allowed."""
    settings = {
        "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error",
        "TOKENIZERS_PARALLELISM": "false", "DISABLE_SAFETENSORS_CONVERSION": "1", "USE_TF": "0", "USE_FLAX": "0",
    }  # fmt: skip
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    if not may_download:
        os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"


def is_offline() -> bool:
    """Whether the environment forbids the network."""
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    return any(os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE") for name in names)


def find_folder(model: str, say: Callable[..., None], *, may_download: bool) -> str:
    """Return the folder that the model lies in: the one that was named, or the one in the hub's cache."""
    if os.path.isabs(model):
        if not os.path.isdir(model):
            raise Refused("not_a_model", "it is a file" if os.path.isfile(model) else "it does not exist")
        if not os.path.isfile(os.path.join(model, "config.json")):
            raise Refused("not_a_model", "has no config.json")
        if not weights_in(model):
            raise Refused("not_a_model", "has no weights that can be read safely, or not all of them")
        return model
    hub: Any = import_module("huggingface_hub")

    cached = hub.try_to_load_from_cache(model, "config.json")
    if isinstance(cached, str) and weights_in(os.path.dirname(cached)):
        return os.path.dirname(cached)
    if not may_download:
        raise Refused("not_downloaded", "is not on this machine")
    if is_offline():
        raise Refused("offline", "is not on this machine")
    return download(hub, model, say)


def download(hub: Any, model: str, say: Callable[..., None]) -> str:
    """Fetch what loading needs, and no more; returns the folder."""
    say("progress", what="download", percent=0)
    try:
        files = hub.HfApi().model_info(model, files_metadata=True).siblings or []
        safe = any(file.rfilename.endswith(".safetensors") for file in files)
        wanted = [*_FILES] if safe else [*_FILES, "pytorch_model*.bin"]
        unwanted = ["*/*", "consolidated*"]
        chosen = list(hub.utils.filter_repo_objects([file.rfilename for file in files], allow_patterns=wanted,
                                                    ignore_patterns=unwanted))  # fmt: skip
        total = sum(file.size or 0 for file in files if file.rfilename in chosen)
        blobs = os.path.join(
            hub.constants.HF_HUB_CACHE, hub.file_download.repo_folder_name(repo_id=model, repo_type="model"), "blobs"
        )
        done = threading.Event()
        threading.Thread(target=_watch_download, args=(blobs, total, done, say), daemon=True).start()
        try:
            return str(hub.snapshot_download(model, allow_patterns=wanted, ignore_patterns=unwanted))
        finally:
            done.set()
    except Exception as error:
        raise hub_refused(error) from error


def _watch_download(folder: str, total: int, done: threading.Event, say: Callable[..., None]) -> None:
    """Say how much has come, by what lies on the disk: the hub's own bars differ by version."""
    before = size_of(files_in(folder))
    total -= before  # of an earlier try, or another version
    while total > 0 and not done.wait(_CACHE_POLL_S):
        percent = 100 * (size_of(files_in(folder)) - before) // total
        say("progress", what="download", percent=max(0, min(99, percent)))


def hub_refused(error: Exception) -> Refused:
    """Say what a failed download means; by the names of classes, which every version has somewhere."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if "GatedRepoError" in names:
        return Refused("gated", told(str(error)))
    if names & {"RepositoryNotFoundError", "HFValidationError"}:
        return Refused("no_such_model", told(str(error)))
    if "OfflineModeIsEnabled" in names:
        return Refused("offline", told(str(error)))
    is_disk = isinstance(error, OSError) and error.errno is not None and "HTTPError" not in names
    return Refused("other" if is_disk else "network", f"{type(error).__name__}: {error}")


def files_in(folder: str) -> list[str]:
    """Return the files of a folder; none where it is missing."""
    try:
        return [entry.path for entry in os.scandir(folder)]
    except OSError:
        return []


def size_of(files: list[str]) -> int:
    """Return how many bytes files have together; one that has just gone has none."""
    size = 0
    for file in files:
        try:
            size += os.path.getsize(file)
        except OSError:
            continue
    return size


def weights_in(folder: str) -> list[str]:
    """Return the files with the weights, of the safe kind where there is one; none when any of them is missing."""
    for single, index in (
        ("model.safetensors", "model.safetensors.index.json"), ("pytorch_model.bin", "pytorch_model.bin.index.json"),
    ):  # fmt: skip
        listed = read_json(os.path.join(folder, index)).get("weight_map")
        names = sorted(set(listed.values())) if isinstance(listed, dict) else [single]
        paths = [os.path.join(folder, name) for name in names]
        if all(os.path.isfile(path) for path in paths):
            return paths
    return []


def read_json(path: str) -> dict[str, Any]:
    """Return an object out of a file; an empty one where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def read_model(transformers: Any, folder: str, device: Any, dtype: str) -> Any:
    """Return the model with all its weights."""
    options: dict[str, Any] = {
        "trust_remote_code": False, "local_files_only": True, "weights_only": True, "output_loading_info": True,
        "use_safetensors": weights_in(folder)[0].endswith(".safetensors"),
    }  # fmt: skip
    number = tuple(int(part) for part in transformers.__version__.split(".")[:2])
    options["dtype" if number >= (4, 56) else "torch_dtype"] = dtype
    if device.type != "cpu" and util.find_spec("accelerate"):
        options["device_map"] = {"": device}  # straight to the device, without a copy of the whole in memory
    model, info = transformers.AutoModelForCausalLM.from_pretrained(folder, **options)
    missing = [name for name in info.get("missing_keys", ()) if name.endswith(".weight")]
    if missing:
        raise Refused("not_a_model", f"does not write text: it has no {min(missing)}")
    return model


def unreadable(error: Exception) -> Refused:
    """Say why a folder could not be read as a model."""
    refused = refused_by(error)
    if refused.code != "other":
        return refused
    if "trust_remote_code" in str(error):
        return Refused("own_code", told(str(error)))
    return Refused("not_a_model", f"{type(error).__name__}: {error}")


class Weights(NamedTuple):
    """The weights as they lie on the disk: how many bytes, of which kind of numbers."""

    size: int
    dtype: str
    is_quantized: bool

    @classmethod
    def of(cls, folder: str) -> Weights:
        """Look at a model's folder."""
        config = read_json(os.path.join(folder, "config.json"))
        inner = config.get("text_config")
        both = (config, inner if isinstance(inner, dict) else {})
        named = (it[name] for it in both for name in ("dtype", "torch_dtype") if it.get(name))
        return cls(size_of(weights_in(folder)), str(next(named, "float32")), "quantization_config" in config)

    def needed(self, dtype: str) -> int:
        """Return about how many bytes they take in memory, in numbers of that kind."""
        if self.is_quantized or dtype not in _WIDTHS or self.dtype not in _WIDTHS:
            return self.size
        return self.size * _WIDTHS[dtype] // _WIDTHS[self.dtype]


def choose(torch: Any, device: str, dtype: str, weights: Weights) -> tuple[Any, str]:
    """Return what computes, and with which numbers; raises ``Refused`` where the weights fit nowhere."""
    here = devices(torch)
    needed = free = 0
    for name in here if device == "auto" else [device]:
        try:
            found = torch.device(name)
        except RuntimeError:
            raise Refused("device", f"{name} is no device; there are: {', '.join(here)}") from None
        if found.type not in here or (found.index or 0) >= max(1, torch.cuda.device_count()):
            raise Refused("device", f"{name} is not here; there are: {', '.join(here)}")
        free = free_bytes(torch, found)
        chosen = choose_dtype(torch, found.type, weights, free) if dtype == "auto" else dtype
        needed = weights.needed(chosen)
        if needed <= free:
            return found, chosen
    raise Refused("out_of_memory", f"needs {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free")


def devices(torch: Any) -> list[str]:
    """Return the kinds of devices that are here, the best first."""
    found = ["cuda"] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        found.append("mps")
    if hasattr(torch, "xpu") and torch.xpu.is_available():
        found.append("xpu")
    return [*found, "cpu"]


def choose_dtype(torch: Any, device: str, weights: Weights, free: int) -> str:
    """Return the numbers to compute with: the model's own where the device is quick with them."""
    own = weights.dtype
    if weights.is_quantized or own not in ("float16", "bfloat16"):
        return own if own in _WIDTHS and not weights.is_quantized else "auto"
    if device == "cuda":
        return "float16" if own == "bfloat16" and not torch.cuda.is_bf16_supported() else own
    if device != "cpu":
        return own
    # Halves took a processor up to twice the time a token, even one with instructions for them (torch 2.13).
    return "float32" if weights.needed("float32") < free * _ROOMY else "bfloat16"


def free_bytes(torch: Any, device: Any) -> int:
    """Return how much memory a device has left; an upper bound, without one where that cannot be known."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        if sys.platform == "win32":
            return _free_on_windows()
        if sys.platform == "darwin":
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        with open("/proc/meminfo", encoding="ascii") as file:
            rows = dict(line.split(":", 1) for line in file)
        free = int(rows["MemAvailable"].split()[0]) * 1024
        return min(free, _left_in_cgroup())
    except (OSError, ValueError, KeyError, AttributeError):
        return sys.maxsize


def _left_in_cgroup() -> int:
    """Return what a container may still take."""
    left = sys.maxsize
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            most = int(file.read())
        with open("/sys/fs/cgroup/memory.current", encoding="ascii") as file:
            left = most - int(file.read())
    except (OSError, ValueError):  # no container, or "max"
        pass
    return left


def _free_on_windows() -> int:
    """Return how much memory Windows would still promise to anybody."""
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [
            ("length", ctypes.c_ulong), ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("all", "free", "all_paged", "free_paged", "v", "free_v", "x")),
        ]  # fmt: skip

    status = Status(length=ctypes.sizeof(Status))
    getattr(ctypes, "windll").kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # noqa: B009, exists on Windows only
    return int(status.free_paged)


def context_of(config: Any, tokenizer: Any) -> int | None:
    """Return how many tokens a model reads and writes together; None where neither it nor its tokenizer says."""
    inner = config.get_text_config() if hasattr(config, "get_text_config") else config
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length", "n_ctx"):
        value = getattr(inner, name, None)
        if isinstance(value, int) and value > 0:
            return value
    longest = getattr(tokenizer, "model_max_length", 0)
    return int(longest) if 0 < longest < 10**9 else None  # without a limit it is a number with thirty digits


# Generating


def ends_of(tokenizer: Any, settings: Any) -> set[int]:
    """Return every token that ends an answer."""
    said = settings.eos_token_id
    ends = set(said if isinstance(said, (list, tuple)) else [said]) | {tokenizer.eos_token_id}
    template = str(tokenizer.chat_template or "")
    special = set(tokenizer.all_special_tokens)
    ends |= {tokenizer.convert_tokens_to_ids(end) for end in _TURN_ENDS if end in template and end in special}
    return {int(end) for end in ends if end is not None}


def prompt_of(tokenizer: Any, messages: list[dict[str, str]]) -> tuple[str, bool]:
    """Return the prompt as text, and whether the model's own chat template made it."""
    if not tokenizer.chat_template:
        return plain_prompt(messages), False
    variants = [messages]
    if len(messages) > 1 and messages[0]["role"] == "system":
        variants.append(without_system(messages))  # not every template knows a system
    refused = Refused("other", "")
    for variant in variants:
        try:
            return str(tokenizer.apply_chat_template(variant, tokenize=False, add_generation_prompt=True)), True
        except Exception as error:  # noqa: BLE001, a template may raise anything
            refused = Refused("other", f"the model's chat template fails: {error}")
    raise refused


def without_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the messages with the system's words at the beginning of the user's first."""
    system, first, *others = messages
    return [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *others]


def plain_prompt(messages: list[dict[str, str]]) -> str:
    """Return a prompt for a model that knows no conversations."""
    names = {"user": "User: ", "assistant": "Assistant: "}
    return "".join(f"{names.get(it['role'], '')}{it['content']}\n\n" for it in messages) + "Assistant:"


def answer_length(prompt_tokens: int, context_tokens: int | None, wanted: int) -> int:
    """Return the longest answer there is room for; raises ``Refused`` where there is none."""
    if context_tokens is None:
        return wanted or _LONGEST_ANSWER
    room = context_tokens - prompt_tokens
    if room < 1:
        raise Refused("too_long", "the prompt is too long", tokens=prompt_tokens, limit=context_tokens)
    return min(wanted or room, room)


# Errors


def refused_by(error: Exception) -> Refused:
    """Return an error as it is told."""
    if isinstance(error, Refused):
        return error
    text = str(error)
    lowered = text.lower()
    memory = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")
    if isinstance(error, MemoryError) or any(words in lowered for words in memory):
        return Refused("out_of_memory", text or "MemoryError")
    if any(words in lowered for words in ("cuda error", "device-side assert", "hip error", "mps backend")):
        return Refused("device", text)
    return Refused("other", f"{type(error).__name__}: {text}")


def told(text: str) -> str:
    """Return an error's words in one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TEXT else line[:_LONGEST_TEXT] + "…"


# The process


def check() -> dict[str, Any]:
    """Return the versions of what is needed, None for what is missing, and the devices."""
    found: dict[str, Any] = {"python": platform.python_version(), "devices": [], "problem": ""}
    for package in ("torch", "transformers"):
        try:
            found[package] = metadata.version(package) if util.find_spec(package) else None
        except metadata.PackageNotFoundError:
            found[package] = "?"
    try:
        if found["torch"]:
            torch: Any = import_module("torch")

            found["devices"] = devices(torch)
    except Exception as error:  # noqa: BLE001, a broken installation raises anything
        found["problem"] = told(f"{type(error).__name__}: {error}")
    return found


def main() -> None:
    """Keep stdout for the protocol alone, read orders on a thread, and do them here."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is meant for the one who asks
    source, target = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    output = Output(target)
    if "--check" in sys.argv[1:]:
        output.say("check", **check())
        return
    worker = Worker(output)

    def read() -> None:
        with os.fdopen(source, "rb") as orders:
            for line in orders:
                worker.take(line)
        os._exit(0)

    threading.Thread(target=read, name="orders", daemon=True).start()
    worker.run()


if __name__ == "__main__":
    main()
