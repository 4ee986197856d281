"""The raw forwarder: the least that Python needs to bring an answer from a vendor's server to an editor over stdio.

``http.client``, ``json.loads`` of every event, one frame a delta; a thread for each run, and a lock around the output.
No prompt, no settings, no stopping, no errors. Arguments: the port of the upstream, and the vendor's name.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_lock = threading.Lock()


@dataclass(frozen=True)
class Vendor:
    """Where a question goes and how it is put (``{slug}`` in the path is replaced), and where a delta's text is."""

    path: str
    body: Callable[[str, str], dict[str, Any]]
    text: Callable[[dict[str, Any]], str | None]
    prefix: bytes = b"data:"


def _messages(question: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}]


VENDORS = {
    "anythingllm": Vendor(
        "/api/v1/workspace/{slug}/stream-chat",
        lambda _slug, question: {"message": question, "mode": "chat"},
        lambda event: event.get("textResponse"),
    ),
    "openai": Vendor(
        "/v1/chat/completions",
        lambda slug, question: {"model": slug, "messages": _messages(question), "stream": True},
        lambda event: event["choices"][0]["delta"].get("content") if event["choices"] else None,
    ),
    "ollama": Vendor(
        "/api/chat",
        lambda slug, question: {"model": slug, "messages": _messages(question), "stream": True},
        lambda event: event["message"]["content"],
        prefix=b"",
    ),
    "dashscope": Vendor(
        "/api/v1/services/aigc/text-generation/generation",
        lambda slug, question: {
            "model": slug,
            "input": {"messages": _messages(question)},
            "parameters": {"result_format": "message", "incremental_output": True},
        },
        lambda event: event["output"]["choices"][0]["message"]["content"],
    ),
}


def send(message: dict[str, Any]) -> None:
    """Write one frame."""
    body = json.dumps({"jsonrpc": "2.0", **message}).encode("ascii")
    with _lock:
        os.write(1, b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


def lines(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield the lines of the body as they arrive."""
    held = b""
    while data := response.read1(65536):
        *complete, held = (held + data).split(b"\n")
        yield from complete


def forward(port: int, vendor: Vendor, id_: int, params: dict[str, Any]) -> None:
    """Ask, and send every delta on."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    slug, size = params["workspace"], len(vendor.prefix)
    question = json.dumps(vendor.body(slug, params["instruction"]))
    headers = {"Content-Type": "application/json", "X-DashScope-SSE": "enable"}
    connection.request("POST", vendor.path.format(slug=slug), question, headers)
    for line in lines(connection.getresponse()):
        if line.startswith(vendor.prefix) and line != b"data: [DONE]":
            text = vendor.text(json.loads(line[size:]))
            if text:
                value = {"kind": "text", "text": text}
                send({"method": "$/progress", "params": {"token": params["partialResultToken"], "value": value}})
    send({"id": id_, "result": {"finish": "complete"}})


def main() -> None:
    """Answer the requests on standard input."""
    port, vendor = int(sys.argv[1]), VENDORS[sys.argv[2]]
    while header := sys.stdin.buffer.readline():
        length = int(header.partition(b":")[2])
        sys.stdin.buffer.readline()
        message = json.loads(sys.stdin.buffer.read(length))
        if message["method"] == "exit":
            return
        if message["method"] == "sidelight/run":
            run = threading.Thread(target=forward, args=(port, vendor, message["id"], message["params"]), daemon=True)
            run.start()
        elif "id" in message:
            send({"id": message["id"], "result": {"capabilities": {}}})


if __name__ == "__main__":
    main()
