// Prints what `inside/measure.js` measured, as JSON, in as many new VS Codes as the argument says.
import { runInside } from "./host.mjs";

const rounds = [];
for (let round = 0; round < Number(process.argv[2] ?? 1); round++) {
  const results = await runInside({ suite: "measure.js", settings: { "sidelight.python": process.env.PYTHON } });
  const failed = results.find(({ error }) => error);
  if (failed) throw new Error(failed.error);
  rounds.push(results.map(({ value }) => value));
}
console.log(JSON.stringify(rounds));
