// Keysets, records and their admission (SPEC.md sections 3, 4 and 6).

import { createHash } from "node:crypto";
import { Refused, read } from "./cbor.mjs";
import { split, toBeSigned } from "./cose.mjs";
import { checkPublic, verify } from "./ed25519.mjs";

const DAY_S = 86_400;
const EPOCH_S = 1_577_836_800; // 2020-01-01
const KIND = /^[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*\/[1-9][0-9]{0,3}$/;
const NUMBER_MAX = 1n << 40n;
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const hex = (bytes) => bytes.toString("hex");

function isForm(value, form) {
  if (form === "int") return typeof value === "bigint";
  if (form === "text") return typeof value === "string";
  return Buffer.isBuffer(value) && (form === "bytes" || value.length === form);
}

function open(raw, most, type) {
  if (raw.length > most) throw new Refused("too_big");
  const { payload, signature } = split(raw);
  const fields = read(payload);
  if (!(fields instanceof Map)) throw new Refused(type.endsWith("record/1") ? "bad_field" : "bad_type");
  if (fields.get(0) !== type) throw new Refused("bad_type");
  return { fields, signature, signed: toBeSigned(payload) };
}

// ── keysets ──

export function parseKeyset(raw) {
  const { fields, signature, signed } = open(raw, 1024, "lavoir-keyset/1");
  const forms = ["text", "bytes", "int", "bytes", "bytes", "text", "bytes"];
  const isWhole = fields.size === 7 && forms.every((form, n) => isForm(fields.get(n), form));
  if (!isWhole) throw new Refused("bad_keyset", "seven fields");
  const [, root, number, previous, signing, reason, town] = fields.values();
  const links = reason === "genesis" ? 0 : 32;
  if (previous.length !== links || town.length !== links) throw new Refused("bad_keyset", "links");
  if (!["genesis", "routine", "lost", "compromise"].includes(reason))
    throw new Refused("bad_keyset", "reason");
  if (number < 1n || number >= NUMBER_MAX) throw new Refused("bad_keyset", "number");
  if (root.equals(signing)) throw new Refused("bad_keyset", "the root signs keysets only");
  checkPublic(root);
  checkPublic(signing);
  if (!verify(root, signature, signed)) throw new Refused("bad_signature");
  const id = sha256(raw);
  return { id, root, number: Number(number), signing, reason, town: reason === "genesis" ? id : town };
}

// ── records ──

const FORMS = [null, 32, "int", 16, "int", "int", "int", "text", "int", 16, "bytes"];

export function parseRecord(raw) {
  const { fields, signature, signed } = open(raw, 16_384, "lavoir-record/1");
  for (let n = 1; n <= 10; n++)
    if (!isForm(fields.get(n), FORMS[n])) throw new Refused("bad_field", `field ${n}`);
  const [, origin, keyset, key, stamp, expires, scope, kind, state, salt, body] = fields.values();
  if (keyset < 1n || keyset >= NUMBER_MAX) throw new Refused("bad_field", "keyset");
  const stampS = checkStamp(stamp);
  if (![0n, 1n, 2n].includes(scope)) throw new Refused("bad_scope");
  if (!KIND.test(kind) || kind.length > 64 || kind.startsWith("lavoir-"))
    throw new Refused("bad_kind");
  if (![0n, 1n].includes(state)) throw new Refused("bad_state");
  const isTombstone = state === 1n;
  checkLife(stampS, expires, isTombstone);
  if (isTombstone !== (body.length === 0)) throw new Refused("bad_body");
  checkAddressee(fields, scope);
  checkCrit(fields);
  const id = sha256(raw);
  const record = { raw, id, origin, keyset: Number(keyset), key, stamp, expires: Number(expires) };
  return { ...record, scope: Number(scope), kind, isTombstone, body, to: fields.get(11), signature, signed };
}

function checkStamp(stamp) {
  const seconds = stamp < 0n ? -1 : Math.floor(Number(stamp >> 16n) / 1000);
  if (seconds < EPOCH_S || seconds >= EPOCH_S + 2 ** 31) throw new Refused("bad_stamp");
  return seconds;
}

function checkLife(stampS, expires, isTombstone) {
  const life = Number(expires) - stampS;
  const isRight = isTombstone ? life === 430 * DAY_S : life > 0 && life <= 400 * DAY_S;
  if (!isRight) throw new Refused("bad_expiry");
}

function checkAddressee(fields, scope) {
  const to = fields.get(11);
  if (fields.has(11) && !isForm(to, 32)) throw new Refused("bad_addressee", "32 bytes");
  if (fields.has(11) !== (scope === 2n)) throw new Refused("bad_addressee");
}

function checkCrit(fields) {
  if (!fields.has(12)) return;
  const crit = fields.get(12);
  const isList = Array.isArray(crit) && crit.length > 0 && crit.every((n) => typeof n === "bigint");
  const isSorted = isList && crit.every((n, at) => at === 0 || crit[at - 1] < n);
  if (!isSorted || !crit.every((n) => n >= 13n && n <= 23n && fields.has(Number(n))))
    throw new Refused("bad_crit");
}

// ── a node, as far as the vectors need one ──

export class Node {
  constructor(nowMs, accepted) {
    this.nowMs = nowMs;
    this.today = Math.floor(nowMs / 1000 / DAY_S);
    this.accepted = new Set(accepted);
    this.keysets = new Map(); // town in hex: its keysets by number
    this.held = new Map(); // register in hex: its record
    this.known = new Set();
  }

  judgeKeyset(raw) {
    try {
      const keyset = parseKeyset(raw);
      const town = hex(keyset.town);
      if (!this.accepted.has(town)) throw new Refused("not_accepted");
      const held = this.keysets.get(town) ?? [keyset];
      if (held.some(({ id }) => id.equals(keyset.id)) && this.keysets.has(town)) return "known";
      const first = held[0];
      const isChild = keyset.reason !== "genesis" && keyset.root.equals(first.root);
      if (keyset !== first && (!isChild || keyset.number <= first.number))
        throw new Refused("broken_chain");
      if (held.some(({ number, id }) => number === keyset.number && !id.equals(keyset.id)))
        throw new Refused("keyset_equivocation");
      const all = this.keysets.has(town) ? [...held, keyset] : [keyset];
      this.keysets.set(town, all.sort((a, b) => a.number - b.number));
      return "stored";
    } catch (error) {
      return refusal(error);
    }
  }

  judgeRecord(raw) {
    try {
      const record = parseRecord(raw);
      const verdict = this.verdict(record);
      if (verdict === "stored") this.hold(record);
      return verdict;
    } catch (error) {
      return refusal(error);
    }
  }

  verdict(record) {
    if (this.known.has(hex(record.id))) return "known";
    const town = hex(record.origin);
    if (!this.accepted.has(town)) throw new Refused("not_accepted");
    if (Number(record.stamp >> 16n) > this.nowMs + DAY_S * 1000) return "quarantined";
    if (Math.ceil(record.expires / DAY_S) <= this.today - 1) return "expired";
    const keyset = (this.keysets.get(town) ?? []).find(({ number }) => number === record.keyset);
    if (!keyset) throw new Refused("unknown_keyset");
    if (this.isRetired(town, keyset.number)) throw new Refused("keyset_retired");
    if (!verify(keyset.signing, record.signature, record.signed)) throw new Refused("bad_signature");
    return this.afterHolder(record);
  }

  isRetired(town, number) {
    const all = this.keysets.get(town);
    if (all.some((later) => later.number > number && later.reason === "compromise")) return true;
    const next = all.find((later) => later.number > number);
    return Boolean(next) && next.number + 30 * DAY_S <= this.today * DAY_S;
  }

  afterHolder(record) {
    const holder = this.held.get(register(record));
    if (!holder) return "stored";
    if (!wins(record, holder)) return "older";
    if (record.stamp > holder.stamp && record.expires < holder.expires)
      throw new Refused("expires_early");
    return "stored";
  }

  hold(record) {
    this.held.set(register(record), record);
    this.known.add(hex(record.id));
  }
}

const register = ({ origin, key }) => hex(origin) + hex(key);

function wins(one, other) {
  if (one.isTombstone !== other.isTombstone) return one.isTombstone;
  if (one.stamp !== other.stamp) return one.stamp > other.stamp;
  return Buffer.compare(one.id, other.id) > 0;
}

export function refusal(error) {
  if (!(error instanceof Refused)) throw error;
  return `refused:${error.code}`;
}
