// The default keys of VS Code on each platform. VS Code goes by what the browser says it runs on.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runInside } from "./host.mjs";

const PLATFORMS = {
  Linux: "X11; Linux x86_64",
  macOS: "Macintosh; Intel Mac OS X 10_15_7",
  Windows: "Windows NT 10.0; Win64; x64",
};
const userAgent = (platform) =>
  `Mozilla/5.0 (${platform}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36`;

describe("on every platform", { concurrency: 2 }, () => {
  for (const [name, platform] of Object.entries(PLATFORMS)) {
    test(`no key of ours is a default key of VS Code on ${name}`, { timeout: 120_000 }, async (context) => {
      const results = await runInside({ suite: "keys.js", browser: { userAgent: userAgent(platform) } });
      for (const { value, error } of results) {
        assert.equal(error, undefined);
        context.diagnostic(`${name}: ${value.keys.join(", ")}; VS Code has ${value.theirs}`);
        assert.equal(value.keys.some((key) => key.includes("cmd")), name === "macOS");
      }
    });
  }
});
