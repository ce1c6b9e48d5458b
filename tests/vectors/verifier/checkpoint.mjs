// Checkpoints, run lists, and what they let in (SPEC.md section 7.4).

import { createHash } from "node:crypto";
import { Refused, read } from "./cbor.mjs";
import { split, toBeSigned } from "./cose.mjs";
import { verify } from "./ed25519.mjs";
import { parseRecord, refusal } from "./records.mjs";

const DAY_MS = 86_400_000;
const EPOCH_S = 1_577_836_800;
const RUN = 256;
const FORMS = ["text", 32, "int", "int", "int", "int", "int", 16, 32, "int", "int"];
const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const hex = (bytes) => bytes.toString("hex");
const msOf = (stamp) => Number(stamp >> 16n);

function isForm(value, form) {
  if (form === "int") return typeof value === "bigint";
  if (form === "text") return typeof value === "string";
  return Buffer.isBuffer(value) && value.length === form;
}

export function parseCheckpoint(raw) {
  if (raw.length > 1024) throw new Refused("too_big");
  const { payload, signature } = split(raw);
  const fields = read(payload);
  const isFlat = !(fields instanceof Map) || ![...fields.values()].some((each) => typeof each === "object" && each !== null && !Buffer.isBuffer(each));
  if (!isFlat) throw new Refused("bad_cbor", "nested");
  if (!(fields instanceof Map) || fields.get(0) !== "lavoir-checkpoint/1") throw new Refused("bad_type");
  const isWhole = fields.size === 11 && FORMS.every((form, n) => isForm(fields.get(n), form));
  if (!isWhole) throw new Refused("bad_field");
  const [, origin, keyset, scope, stamp, asOf, records, , runs, runCount, size] = fields.values();
  if (keyset < 1n || keyset >= 1n << 40n) throw new Refused("bad_field", "keyset");
  if (scope < 0n || scope > 2n) throw new Refused("bad_scope");
  const seconds = stamp < 0n ? -1 : Math.floor(msOf(stamp) / 1000) - EPOCH_S;
  if (seconds < 0 || seconds >= 2 ** 31) throw new Refused("bad_stamp");
  const day = Math.floor(msOf(stamp) / DAY_MS);
  const isSound = records >= 0n && records <= 1n << 32n && size >= 0n && size <= 1n << 53n;
  const isCounted = Number(runCount) === Math.ceil(Number(records) / RUN);
  if (!isSound || !isCounted || Math.abs(Number(asOf) - day) > 1) throw new Refused("bad_checkpoint");
  const said = { id: sha256(raw), origin, keyset: Number(keyset), scope: Number(scope), stamp, seconds };
  return { ...said, records: Number(records), runs, runCount: Number(runCount), signature, signed: toBeSigned(payload) };
}

function checkSigner(said, node) {
  const keysets = node.keysets.get(hex(said.origin)) ?? [];
  const keyset = keysets.find(({ number }) => number === said.keyset);
  if (!keyset) throw new Refused("unknown_keyset");
  if (keyset !== keysets.at(-1)) throw new Refused("keyset_retired");
  if (!verify(keyset.signing, said.signature, said.signed)) throw new Refused("bad_signature");
}

// the verdict on `raw` of a node that holds the checkpoint `held` (null: none)
export function judgeCheckpoint(raw, held, node) {
  try {
    const said = parseCheckpoint(raw);
    if (!node.accepted.has(hex(said.origin))) throw new Refused("not_accepted");
    const rival = held && held.origin.equals(said.origin) && held.scope === said.scope ? held : null;
    if (rival && rival.id.equals(said.id)) return "known";
    checkSigner(said, node);
    if (rival && rival.keyset === said.keyset && rival.stamp === said.stamp)
      throw new Refused("checkpoint_equivocation");
    if (rival && rival.stamp > said.stamp) return "older";
    return msOf(said.stamp) > node.nowMs + DAY_MS ? "quarantined" : "stored";
  } catch (error) {
    return refusal(error);
  }
}

function parseRuns(raw, said) {
  if (raw.length > 65_536) throw new Refused("too_big");
  if (!sha256(raw).equals(said.runs)) throw new Refused("bad_runs", "another list");
  const rows = read(raw);
  if (!Array.isArray(rows) || rows.length !== said.runCount) throw new Refused("bad_runs", "number");
  rows.forEach((row, n) => {
    const isRun = Array.isArray(row) && row.length === 3 && typeof row[0] === "bigint" && isForm(row[2], 32);
    if (!isRun || !Buffer.isBuffer(row[1]) || row[1].length > 32) throw new Refused("bad_runs", "form");
    if (row[0] < 0n || row[0] > 1n << 31n) throw new Refused("bad_runs", "time");
    if (n > 0 && !isBelow(rows[n - 1], row)) throw new Refused("bad_runs", "bounds");
  });
  const last = rows.at(-1);
  if (last && (last[1].length > 0 || Number(last[0]) > said.seconds + 1)) throw new Refused("bad_runs", "end");
  return rows;
}

const isBelow = (one, other) => one[0] < other[0] || (one[0] === other[0] && Buffer.compare(one[1], other[1]) < 0);

// how many of its records the checkpoint of [checkpoint, run list, records, gaps] lets in
export function judgeVouching(raw, node) {
  try {
    const [bytes, listed, raws, gaps] = read(raw);
    const said = parseCheckpoint(bytes);
    checkSigner(said, node);
    const age = node.nowMs - msOf(said.stamp);
    if (age >= 7 * DAY_MS || age < -DAY_MS) throw new Refused("stale_checkpoint");
    const runs = parseRuns(listed, said);
    const records = raws.map(parseRecord);
    const places = records.map(({ stamp, id }) => [BigInt(Math.floor(msOf(stamp) / 1000) - EPOCH_S), id]);
    const known = [...places, ...gaps].sort((a, b) => (isBelow(a, b) ? -1 : 1));
    const vouched = new Set();
    runs.forEach((run, n) => {
      const ids = known.filter((item) => isBelow(item, run) && (n === 0 || !isBelow(item, runs[n - 1]))).map(([, id]) => id);
      const size = Math.min(RUN, said.records - RUN * n);
      if (ids.length === size && sha256(Buffer.from("lavoir-run/1"), ...ids).equals(run[2]))
        ids.forEach((id) => vouched.add(hex(id)));
    });
    const isCovered = ({ id, origin, keyset, scope, stamp }) =>
      vouched.has(hex(id)) && origin.equals(said.origin) && keyset === said.keyset && scope === said.scope && stamp < said.stamp;
    return `vouches:${records.filter(isCovered).length}`;
  } catch (error) {
    return refusal(error);
  }
}
