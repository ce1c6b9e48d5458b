// The line protocol of Negentropy's cross-language tests, spoken by this verifier's own ends.
// The same lines as `python -m federation.adapters.negentropy_line`; FRAMESIZELIMIT bounds a message.

import { createInterface } from "node:readline";
import { End } from "./negentropy.mjs";

const limit = Number(process.env.FRAMESIZELIMIT || 0);
const items = [];
let end = null;

function say(line) {
  process.stdout.write(`${line}\n`);
}

function tell(message) {
  if (limit && message.length > limit) throw new Error(`${message.length} bytes in ${limit}`);
  say(`msg,${message.toString("hex")}`);
}

const VERBS = {
  item: (time, id) => items.push({ time: Number(time), id: Buffer.from(id, "hex") }),
  seal: () => (end = new End(items, limit)),
  initiate: () => tell(end.initiate()),
  msg: (message) => {
    const { answer, have, need } = end.take(Buffer.from(message, "hex"));
    for (const id of have) say(`have,${id}`);
    for (const id of need) say(`need,${id}`);
    if (answer === null) say("done");
    else tell(answer);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...rest] = line.trim().split(",");
  if (verb) VERBS[verb](...rest);
}
