#!/usr/bin/env node
// Judges vectors with code that shares nothing with federation/: node verify.mjs [FOLDER]
// Prints what disagrees and exits 1 if anything does. Written from SPEC.md, with Node's own crypto.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { countRecords, readStatement, signedItems } from "./verifier/bundle.mjs";
import { Refused, read } from "./verifier/cbor.mjs";
import { judgeCheckpoint, judgeVouching, parseCheckpoint } from "./verifier/checkpoint.mjs";
import { split } from "./verifier/cose.mjs";
import { checkPublic, verify } from "./verifier/ed25519.mjs";
import { End, itemsOf } from "./verifier/negentropy.mjs";
import { Node, parseRecord, refusal } from "./verifier/records.mjs";
import { hkdf, openSealed, privateKey } from "./verifier/seal.mjs";

const NOW_MS = 1_780_000_000_000;
const FOLDER = process.argv[2] ?? dirname(fileURLToPath(import.meta.url));
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const secret = (name) => sha256(`lavoir vectors: ${name}`);
const load = (name) => JSON.parse(readFileSync(join(FOLDER, `${name}.json`), "utf8"));
const bytes = (vector) => Buffer.from(vector.hex, "hex");

const keysets = load("keyset");
const towns = keysets.filter(({ name }) => name.endsWith(", genesis")).map(({ id }) => id);

function nodeOfTheVectors() {
  const node = new Node(NOW_MS, towns);
  for (const vector of keysets)
    if (vector.verdict === "stored") node.judgeKeyset(bytes(vector));
  return node;
}

function filledNode() {
  const node = nodeOfTheVectors();
  for (const name of ["listing", "tombstone", "sealed"])
    for (const vector of load(name)) node.judgeRecord(bytes(vector));
  return node;
}

// a verdict, or the code of what `act` throws
function judged(verdict, act) {
  try {
    act();
    return verdict;
  } catch (error) {
    return refusal(error);
  }
}

function judgeSignature(raw) {
  const [key, signature, message] = read(raw);
  return judged("good", () => {
    checkPublic(key);
    if (!verify(key, signature, message)) throw new Refused("bad_signature");
  });
}

function judgeSealed(raw) {
  const verdict = nodeOfTheVectors().judgeRecord(raw);
  const record = parseRecord(raw);
  const archive = hkdf(secret("L root"), Buffer.alloc(0), Buffer.from("lavoir-archive/1"), 32);
  const signing = nodeOfTheVectors().keysets.get(towns[0]).at(-1).signing;
  for (const seed of [secret("Quimper HPKE"), archive]) {
    const fields = openSealed(record, privateKey(seed), signing);
    if (!fields.get(1).equals(secret("engagement").subarray(0, 16))) return "another message";
  }
  return verdict;
}

function judgeNegentropy(raw) {
  const [seed, counts, span, limits, last] = [...read(raw).values()];
  const [shared, here, there] = counts.map((n, group) => itemsOf(seed, group, Number(n), Number(span)));
  const responder = new End([...shared, ...there], Number(limits[1]));
  if (Buffer.isBuffer(last)) return judged("answered", () => responder.take(last));
  const initiator = new End([...shared, ...here], Number(limits[0]));
  const trace = [];
  const [have, need] = [[], []];
  for (let message = initiator.initiate(); message; ) {
    const { answer } = responder.take(message);
    trace.push(sha256(message), sha256(answer));
    const found = initiator.take(answer);
    have.push(...found.have);
    need.push(...found.need);
    message = found.answer;
  }
  const isSame = trace.length === last.length && trace.every((each, n) => each.equals(last[n]));
  const isWhole = new Set(have).size === here.length && new Set(need).size === there.length;
  return isSame && isWhole ? "converges" : "differs";
}

function judgeBundle(raw) {
  if ([...signedItems(raw)].length > 1) return `read:${countRecords(raw)}`;
  return judged("read", () => readStatement(raw));
}

let said = null; // the first checkpoint is held while the others are judged
function judgeSaid(raw) {
  if (raw[0] !== 0xd2) return judgeVouching(raw, nodeOfTheVectors());
  const verdict = judgeCheckpoint(raw, said, nodeOfTheVectors());
  said ??= parseCheckpoint(raw);
  return verdict;
}

const JUDGES = {
  bundle: judgeBundle,
  checkpoint: judgeSaid,
  keyset: (raw) => nodeOfTheVectors().judgeKeyset(raw),
  listing: (raw) => nodeOfTheVectors().judgeRecord(raw),
  tombstone: (raw) => nodeOfTheVectors().judgeRecord(raw),
  sealed: judgeSealed,
  invalid: (raw) => filledNode().judgeRecord(raw),
  public_key: (raw) => judged("stored", () => checkPublic(raw)),
  signature: judgeSignature,
  cbor: (raw) => judged("read", () => read(raw)),
  cose: (raw) => judged("read", () => split(raw)),
  negentropy: judgeNegentropy,
};

let [right, all] = [0, 0];
for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".json")).sort()) {
  const name = file.replace(".json", "");
  const judge = JUDGES[name];
  const fresh = name === "keyset" ? new Node(NOW_MS, towns) : null;
  for (const vector of load(name)) {
    all += 1;
    const raw = bytes(vector);
    const verdict = !judge ? "no judge" : fresh && vector.verdict === "stored" ? fresh.judgeKeyset(raw) : judge(raw);
    const isRight = verdict === vector.verdict && sha256(raw).toString("hex") === vector.id;
    if (isRight) right += 1;
    else console.log(`${name}: ${vector.name}: ${verdict}, the vector says ${vector.verdict}`);
  }
}
console.log(`${right} of ${all} vectors agree`);
process.exitCode = right === all ? 0 : 1;
