// Runs a suite inside VS Code's extension host, one test after the other, and writes down what came of each.
// The order is in the environment: SIDELIGHT_INSIDE, {"suite": a module that exports `tests`, "report": a file}.
const { writeFileSync } = require("node:fs");

const TEST_MS = 60_000;

exports.run = async () => {
  const { suite, report } = JSON.parse(process.env.SIDELIGHT_INSIDE ?? "{}");
  const results = [];
  try {
    for (const [name, test] of Object.entries(require(suite).tests)) results.push({ name, ...(await attempt(test)) });
  } catch (error) {
    results.push({ name: suite, ms: 0, error: describe(error) });
  }
  writeFileSync(report, JSON.stringify(results));
};

async function attempt(test) {
  const begin = performance.now();
  const passed = () => Math.round(performance.now() - begin);
  let timer;
  try {
    const tooLong = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done after ${TEST_MS / 1000} s`)), TEST_MS);
    });
    const value = await Promise.race([test(), tooLong]);
    return { ms: passed(), value };
  } catch (error) {
    return { ms: passed(), error: describe(error) };
  } finally {
    clearTimeout(timer);
  }
}

function describe(error) {
  // The difference of two large texts is of no use to anybody.
  return String(error?.stack ?? error).slice(0, 4000);
}
