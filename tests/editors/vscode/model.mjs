// Stands for AnythingLLM: answers what the test tells it to, tells when the client hangs up, and takes documents where
// the test has given it a list for them. `pieces` are those of every answer, or tell them from what was asked.
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

export async function startModel() {
  const model = { pieces: [], sources: [], error: "", documents: undefined, isEndless: false, breaksOff: false, pauseMs: 0, hangUps: 0, address: "", requests: [], close };
  const server = createServer((request, reply) => {
    let body = "";
    request.setEncoding("utf8").on("data", (piece) => { body += piece; });
    if (model.documents && isAboutDocuments(request)) request.on("end", () => { takeDocuments(model.documents, request, body, reply); });
    else if (request.method === "POST") request.on("end", () => { model.requests.push(body); void answer(model, reply, body); });
    else reply.writeHead(200, { "Content-Type": "application/json" }).end('{"online": true}');
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  model.address = `http://127.0.0.1:${server.address().port}`;
  return model;

  function close() {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  }
}

function isAboutDocuments({ method, url }) {
  return /\/(document\/|update-embeddings)/.test(url) || (method === "GET" && url.endsWith("/workspace/docs"));
}

/** One workspace, in which a document is as soon as it was uploaded. */
function takeDocuments(documents, { method, url }, body, reply) {
  const say = (value, status = 200) => { reply.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value)); };
  if (url.endsWith("/upload")) {
    const [, name, chunkSource] = /filename="([^"]+)"[^]*"chunkSource": ?"([^"]+)"/.exec(body) ?? /"title": ?"([^"]+)"[^]*"chunkSource": ?"([^"]+)"/.exec(body);
    const docpath = `custom-documents/${name}.json`;
    documents.push({ docpath, metadata: JSON.stringify({ chunkSource }) });
    say({ success: true, documents: [{ location: docpath, chunkSource }] });
  } else if (method === "GET" && url.includes("/workspace/")) say({ workspace: [{ slug: "docs", documents }] });
  else if (method === "GET") say({}, 404);
  else say({ workspace: { slug: "docs" } });
}

async function answer(model, reply, body) {
  const pieces = typeof model.pieces === "function" ? model.pieces(body) : model.pieces;
  const event = (fields) => reply.write(`data: ${JSON.stringify({ uuid: "1", sources: [], close: false, error: false, ...fields })}\n\n`);
  reply.on("close", () => { if (!reply.writableFinished) model.hangUps++; });
  reply.writeHead(200, { "Content-Type": "text/event-stream" });
  if (model.error) event({ type: "abort", close: true, error: model.error });
  for (const piece of pieces) {
    event({ type: "textResponseChunk", textResponse: piece });
    if (model.pauseMs) await pause(model.pauseMs);
  }
  while (model.isEndless && !reply.destroyed) {
    event({ type: "textResponseChunk", textResponse: "word " });
    await pause(50);
  }
  if (model.breaksOff) {
    await pause(200);
    reply.destroy();
  } else if (!reply.destroyed) {
    event({ type: "textResponseChunk", textResponse: "", close: true, sources: model.sources });
    event({ type: "finalizeResponseStream", close: true });
    reply.end();
  }
}
