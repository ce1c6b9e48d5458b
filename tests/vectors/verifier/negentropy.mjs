// Negentropy Protocol V1, both ends (SPEC.md section 7.2).

import { createHash } from "node:crypto";
import { Refused } from "./cbor.mjs";

const VERSION = 0x61;
const [SKIP, FINGERPRINT, LIST] = [0, 1, 2];
const BUCKETS = 16;
const SLACK = 200;
const END = { time: Infinity, prefix: Buffer.alloc(0) };
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const bad = (detail) => new Refused("bad_range", detail);

export function itemsOf(seed, group, count, span) {
  return Array.from({ length: count }, (_, each) => {
    const id = sha256(`${seed}/${group}/${each}`);
    return { time: sha256(id).readUInt32BE(0) % span, id };
  });
}

const order = (a, b) => a.time - b.time || Buffer.compare(a.id, b.id);

function varint(number) {
  const digits = [number % 128];
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.unshift((rest % 128) + 128);
  return Buffer.from(digits);
}

class Reader {
  constructor(raw) {
    this.raw = raw;
    this.at = 0;
    this.time = 0n;
  }
  take(size) {
    if (size > this.raw.length - this.at) throw bad("torn");
    this.at += size;
    return this.raw.subarray(this.at - size, this.at);
  }
  number() {
    let value = 0n;
    for (let digits = 1; ; digits++) {
      if (digits > 10) throw bad("more than ten digits");
      const [byte] = this.take(1);
      value = (value << 7n) | BigInt(byte & 127);
      if (value >= 1n << 64n) throw bad("more than 64 bits");
      if (byte < 128) return value;
    }
  }
  bound() {
    const step = this.number();
    const isEnd = step === 0n || this.time === Infinity;
    this.time = isEnd ? Infinity : this.time + step - 1n;
    const size = this.number();
    if (size > 32n) throw bad("a long prefix");
    const time = this.time === Infinity ? Infinity : Number(this.time);
    return { time, prefix: this.take(Number(size)) };
  }
}

class Writer {
  constructor() {
    this.parts = [Buffer.from([VERSION])];
    this.length = 1;
    this.draft = [];
    this.time = 0;
    this.skipped = null;
  }
  get drafted() {
    return this.draft.reduce((sum, part) => sum + part.length, 0);
  }
  bound({ time, prefix }) {
    const step = time === Infinity ? 0 : time - this.time + 1;
    this.time = time;
    this.draft.push(varint(step), varint(prefix.length), prefix);
  }
  range(bound, mode, ...parts) {
    if (this.skipped) {
      this.bound(this.skipped);
      this.draft.push(varint(SKIP));
      this.skipped = null;
    }
    this.bound(bound);
    this.draft.push(varint(mode), ...parts);
  }
  keep() {
    const drafted = this.drafted;
    this.parts.push(...this.draft);
    this.length += drafted;
    this.draft = [];
  }
  get raw() {
    return Buffer.concat(this.parts);
  }
}

export class End {
  constructor(items, limit) {
    this.items = [...items].sort(order);
    this.limit = limit;
    this.isInitiator = false;
  }
  initiate() {
    this.isInitiator = true;
    const writer = new Writer();
    this.split(writer, 0, this.items.length, END);
    writer.keep();
    return writer.raw;
  }
  // The answer, and for the initiator the ids found and null when nothing is left to ask.
  take(message) {
    const reader = new Reader(message);
    const writer = new Writer();
    const found = { have: [], need: [] };
    const [version] = reader.take(1);
    if (version < 0x60 || version > 0x6f) throw bad("no version");
    if (version !== VERSION) {
      if (this.isInitiator) throw bad("another version");
      return { answer: writer.raw, ...found };
    }
    let from = 0;
    while (reader.at < message.length) {
      from = this.range(reader, writer, from, found);
      if (this.limit && writer.length + writer.drafted > this.limit - SLACK) {
        writer.draft = [];
        writer.range(END, FINGERPRINT, this.fingerprint(from, this.items.length));
        writer.keep();
        break;
      }
      writer.keep();
    }
    const isOver = this.isInitiator && writer.length === 1;
    return { answer: isOver ? null : writer.raw, ...found };
  }
  range(reader, writer, from, found) {
    const bound = reader.bound();
    const mode = Number(reader.number());
    const to = this.before(bound, from);
    if (mode === SKIP) {
      writer.skipped = bound;
    } else if (mode === FINGERPRINT) {
      if (reader.take(16).equals(this.fingerprint(from, to))) writer.skipped = bound;
      else this.split(writer, from, to, bound);
    } else if (mode === LIST) {
      const count = reader.number();
      if (count * 32n > BigInt(reader.raw.length - reader.at)) throw bad("a long list");
      const theirs = Array.from({ length: Number(count) }, () => reader.take(32));
      if (!this.isInitiator) return this.list(writer, from, to, bound);
      compare(found, this.ids(from, to), theirs);
      writer.skipped = bound;
    } else {
      throw bad("a mode");
    }
    return to;
  }
  list(writer, from, to, bound) {
    let end = to;
    if (this.limit) {
      const room = this.limit - SLACK - writer.length;
      end = Math.min(to, from + Math.floor(room / 32) + 1);
    }
    const { time, id } = this.items[end] ?? {};
    const ids = this.ids(from, end);
    writer.range(end === to ? bound : { time, prefix: id }, LIST, varint(ids.length), ...ids);
    writer.keep();
    return end;
  }
  split(writer, from, to, bound) {
    if (to - from < 2 * BUCKETS) {
      const ids = this.ids(from, to);
      return writer.range(bound, LIST, varint(ids.length), ...ids);
    }
    const each = Math.floor((to - from) / BUCKETS);
    const longer = (to - from) % BUCKETS;
    for (let bucket = 0, start = from; bucket < BUCKETS; bucket++) {
      const end = start + each + (bucket < longer ? 1 : 0);
      writer.range(end === to ? bound : this.edge(end), FINGERPRINT, this.fingerprint(start, end));
      start = end;
    }
  }
  edge(index) {
    const [one, other] = [this.items[index - 1], this.items[index]];
    if (one.time !== other.time) return { time: other.time, prefix: Buffer.alloc(0) };
    let shared = 0;
    while (one.id[shared] === other.id[shared]) shared++;
    return { time: other.time, prefix: other.id.subarray(0, shared + 1) };
  }
  before(bound, from) {
    let index = from;
    while (index < this.items.length && this.isBelow(this.items[index], bound)) index++;
    return index;
  }
  isBelow({ time, id }, bound) {
    if (time !== bound.time) return time < bound.time;
    return Buffer.compare(id, bound.prefix) < 0;
  }
  ids(from, to) {
    return this.items.slice(from, to).map(({ id }) => id);
  }
  fingerprint(from, to) {
    let sum = 0n;
    for (const id of this.ids(from, to))
      sum += BigInt(`0x${Buffer.from(id).reverse().toString("hex")}`);
    const wrapped = (sum % (1n << 256n)).toString(16).padStart(64, "0");
    const little = Buffer.from(wrapped, "hex").reverse();
    return sha256(Buffer.concat([little, varint(to - from)])).subarray(0, 16);
  }
}

function compare(found, ours, theirs) {
  const hex = (id) => id.toString("hex");
  const [held, offered] = [new Set(ours.map(hex)), new Set(theirs.map(hex))];
  found.have.push(...[...held].filter((id) => !offered.has(id)));
  found.need.push(...[...offered].filter((id) => !held.has(id)));
}
