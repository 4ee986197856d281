"""Real model servers on free loopback ports, with the tiny model of this folder; what they do is theirs, not played.

The model answers everything with REPLY. Paths of the tools are in `tools.py`, fixtures in `conftest.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, sleep

import requests

from models import tools

HERE = Path(__file__).resolve().parent
GGUF = HERE / "tiny.gguf"
FOLDER = HERE / "tiny"
REPLY = "你好 😀, Python adds for you:\n\n```python \ndef total(*prices):\n    return sum(prices)\n```\nDone."
"""What the model says, as make_tiny.py made it."""
LONGEST = 262144
"""The context that the model was made for, in tokens."""
_READY_S = 90.0


class ModelServer(ABC):
    """A process that serves a model; `close` ends it, whatever was done to it before."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = scratch / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Return what starts the server."""

    def environment(self) -> dict[str, str]:
        """Return the environment that it starts in."""
        return {"HOME": str(self.scratch), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}

    @property
    def log(self) -> str:
        """What the server has said since it was first started."""
        return self._log.read_text("utf-8", errors="replace")

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process, and return at once."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.scratch,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self, status: int = 200) -> None:
        """Return when /health answers with that status; fail with the log if it ends or takes too long."""
        until = monotonic() + _READY_S
        while self.health() != status:
            assert self.running, f"the server has ended:\n{self.log}"
            assert monotonic() < until, f"the server does not say {status}:\n{self.log}"
            sleep(0.02)

    def health(self) -> int:
        """Return the status that /health answers with, or 0 if nothing listens."""
        try:
            return requests.get(f"{self.url}/health", timeout=_READY_S).status_code
        except requests.ConnectionError:
            return 0

    def kill(self) -> None:
        """End it as a crash would, with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """Kill it if it lives, start it again at the same address, and wait until it is ready."""
        self.kill()
        self.start()
        self.wait()

    def pause(self) -> None:
        """Let it fall silent with every connection open, with SIGSTOP."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        # Its threads may still answer until the kernel reports that all have stopped.
        os.waitpid(self._process.pid, os.WUNTRACED)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it for good."""
        self.kill()


class LlamaServer(ModelServer):
    """llama.cpp's own server.

    `context` is what each of the `slots` has, in tokens; 4096, or LONGEST for an `endless` one. That never lets the
    model end: it says REPLY again and again until the context is full, after minutes with LONGEST. A `held` one does
    not get its model before `let_load`, and answers 503 until then. `options` go onto its command line.
    """

    def __init__(
        self,
        scratch: Path,
        *,
        context: int | None = None,
        slots: int = 1,
        api_key: str = "",
        alias: str = "tiny",
        endless: bool = False,
        held: bool = False,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__(scratch)
        self.api_key = api_key
        self.alias = alias
        if context is None:
            context = LONGEST if endless else 4096
        self._options = [
            *("--alias", alias, "--ctx-size", str(context * slots), "--parallel", str(slots)),
            *(["--api-key", api_key] if api_key else []),
            *(["--ignore-eos"] if endless else []),
            *options,
        ]
        self._model = GGUF
        self._lease: FileLease | None = None
        if held:
            self._model = scratch / GGUF.name
            shutil.copyfile(GGUF, self._model)
            self._lease = FileLease(self._model)

    def command(self) -> list[str]:
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        return [str(tools.LLAMA_SERVER.path), "--model", str(self._model), "--threads", "1", *address, *self._options]

    def let_load(self) -> None:
        """Give a held server its model, and wait until it is ready."""
        if self._lease is not None:
            self._lease.release()
        self.wait()

    def close(self) -> None:
        super().close()
        if self._lease is not None:
            self._lease.release()


class TransformersServe(ModelServer):
    """`transformers serve`, with one model, whose name in requests is `model`.

    An `endless` one never lets the model end: only the request's token limit does.
    """

    def __init__(self, scratch: Path, *, endless: bool = False) -> None:
        super().__init__(scratch)
        self.model = "tiny"
        shutil.copytree(FOLDER, scratch / self.model)
        # /v1/models looks here, and is an error when it does not exist.
        (scratch / "huggingface" / "hub").mkdir(parents=True)
        if endless:
            settings = scratch / self.model / "generation_config.json"
            known = json.loads(settings.read_text("utf-8"))
            settings.write_text(json.dumps({**known, "suppress_tokens": [known["eos_token_id"]]}), "utf-8")

    def environment(self) -> dict[str, str]:
        offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        return {**super().environment(), **offline, "HF_HOME": str(self.scratch / "huggingface")}

    def command(self) -> list[str]:
        program = "from transformers.cli.transformers import main; main()"
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        return [
            *(str(tools.TRANSFORMERS.path / "bin" / "python"), "-c", program),
            *("serve", self.model, "--device", "cpu", *address),
        ]


class FileLease:
    """Holds back, on Linux, whoever opens a file; the kernel lets them wait until the release, or for 45 seconds."""

    def __init__(self, path: Path) -> None:
        import fcntl

        self._file = path.open("r+b")
        # How the kernel tells that somebody waits; the usual signal would end this process, this one is ignored.
        fcntl.fcntl(self._file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(self._file, fcntl.F_SETLEASE, fcntl.F_WRLCK)

    def release(self) -> None:
        """Let them open it; may be called twice."""
        self._file.close()
