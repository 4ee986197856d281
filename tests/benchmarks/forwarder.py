"""The raw forwarder: the least that Python needs to bring an answer from AnythingLLM to an editor over stdio.

``http.client``, ``json.loads`` of every event, one frame a delta; a thread for each run, and a lock around the output.
No prompt, no settings, no stopping, no errors. Argument: the port of the upstream.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

_lock = threading.Lock()


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


def forward(port: int, id_: int, params: dict[str, Any]) -> None:
    """Ask, and send every delta on."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    question = json.dumps({"message": params["instruction"], "mode": "chat"})
    url = f"/api/v1/workspace/{params['workspace']}/stream-chat"
    connection.request("POST", url, question, {"Content-Type": "application/json"})
    for line in lines(connection.getresponse()):
        if line.startswith(b"data: "):
            text = json.loads(line[6:]).get("textResponse")
            if text:
                value = {"kind": "text", "text": text}
                send({"method": "$/progress", "params": {"token": params["partialResultToken"], "value": value}})
    send({"id": id_, "result": {"finish": "complete"}})


def main() -> None:
    """Answer the requests on standard input."""
    port = int(sys.argv[1])
    while header := sys.stdin.buffer.readline():
        length = int(header.partition(b":")[2])
        sys.stdin.buffer.readline()
        message = json.loads(sys.stdin.buffer.read(length))
        if message["method"] == "exit":
            return
        if message["method"] == "sidelight/run":
            threading.Thread(target=forward, args=(port, message["id"], message["params"]), daemon=True).start()
        elif "id" in message:
            send({"id": message["id"], "result": {"capabilities": {}}})


if __name__ == "__main__":
    main()
