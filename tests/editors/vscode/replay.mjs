// A recorded AnythingLLM on loopback: answers with the bytes of the real server (tests/captures), to the right key only.
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const captures = join(dirname(fileURLToPath(import.meta.url)), "../../captures/anythingllm");
const capture = (name) => readFileSync(join(captures, `${name}.raw`));

export const KEY = "SAMPLE1-TEST001-ANYTHNG-LLM0001";

/** `requests` are those that came: the first line of each, and whether the key was right. */
export async function startAnythingLLM() {
  const requests = [];
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let received = "";
    socket.on("data", (data) => {
      received += data.toString("latin1");
      if (isWhole(received)) void answer(socket, received);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${server.address().port}`;
  return { address, requests, close };

  async function answer(socket, request) {
    const line = request.slice(0, request.indexOf("\r\n"));
    const hasKey = request.includes(`Authorization: Bearer ${KEY}`);
    requests.push({ line, hasKey });
    const bytes = capture(nameOf(line, hasKey));
    // In pieces, as it came: an answer that comes at once would not be seen to stream.
    for (let at = 0; at < bytes.length && !socket.destroyed; at += 700) {
      socket.write(bytes.subarray(at, at + 700));
      await pause(15);
    }
    socket.end();
  }

  function close() {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  }
}

function isWhole(request) {
  const head = request.indexOf("\r\n\r\n");
  const length = Number(/content-length: (\d+)/i.exec(request)?.[1] ?? 0);
  return head >= 0 && request.length >= head + 4 + length;
}

function nameOf(line, hasKey) {
  if (line.includes("/api/ping")) return "ping";
  if (!hasKey) return line.includes("stream-chat") ? "stream-chat-wrong-key" : "auth-wrong-key";
  if (line.includes("/workspaces ")) return "workspaces-list";
  return line.startsWith("POST") ? "stream-chat-with-sources" : "auth-ok";
}
