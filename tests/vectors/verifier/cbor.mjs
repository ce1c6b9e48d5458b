// The one form of CBOR that SPEC.md section 2 allows: a reader that refuses everything else.

export class Refused extends Error {
  constructor(code, detail = "") {
    super(`${code} ${detail}`);
    this.code = code;
  }
}

const DEEPEST = 16;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const bad = (detail) => new Refused("bad_cbor", detail);

// Integers come as BigInt, byte strings as Buffer, maps as Map; `whole` refuses bytes after the item.
export function read(raw) {
  const [value, end] = item(raw, 0, 0);
  if (end !== raw.length) throw bad("bytes after the item");
  return value;
}

function item(raw, at, depth) {
  if (at >= raw.length) throw bad("torn");
  const major = raw[at] >> 5;
  const low = raw[at] & 31;
  if (major === 7) {
    if (low === 20 || low === 21) return [low === 21, at + 1];
    if (low === 22) return [null, at + 1];
    throw bad("a float or simple value");
  }
  if (major === 6) throw bad("a tag");
  const [size, begin] = argument(raw, at, low);
  if (major === 0) return [size, begin];
  if (major === 1) return [-1n - size, begin];
  const left = BigInt(raw.length - begin);
  if (size > left) throw bad("longer than what is left");
  const count = Number(size);
  if (major === 2) return [raw.subarray(begin, begin + count), begin + count];
  if (major === 3) return [text(raw.subarray(begin, begin + count)), begin + count];
  if (depth + 1 > DEEPEST) throw bad("too deep");
  return major === 4 ? list(raw, begin, count, depth + 1) : map(raw, begin, count, depth + 1);
}

function argument(raw, at, low) {
  if (low < 24) return [BigInt(low), at + 1];
  if (low > 27) throw bad("an indefinite or reserved length");
  const width = 1 << (low - 24);
  if (at + 1 + width > raw.length) throw bad("torn");
  let size = 0n;
  for (const byte of raw.subarray(at + 1, at + 1 + width)) size = (size << 8n) | BigInt(byte);
  const least = width === 1 ? 24n : 1n << BigInt(4 * width);
  if (size < least) throw bad("a number in more bytes than it needs");
  return [size, at + 1 + width];
}

function text(bytes) {
  let said;
  try {
    said = utf8.decode(bytes);
  } catch {
    throw bad("not UTF-8");
  }
  if (said.normalize("NFC") !== said) throw bad("not NFC");
  return said;
}

function list(raw, at, count, depth) {
  const values = [];
  for (let n = 0; n < count; n++) {
    const [value, end] = item(raw, at, depth);
    values.push(value);
    at = end;
  }
  return [values, at];
}

function map(raw, at, count, depth) {
  const values = new Map();
  let before = null;
  let kind = null;
  for (let n = 0; n < count; n++) {
    const [key, end] = item(raw, at, depth);
    const written = raw.subarray(at, end);
    const is = typeof key === "bigint" && key >= 0n && key <= 23n ? "number" : typeof key;
    if (!["number", "string"].includes(is) || (kind && kind !== is)) throw bad("a key");
    kind = is;
    if (before && !follows(before, written)) throw bad("keys unsorted or there twice");
    before = written;
    const [value, next] = item(raw, end, depth);
    values.set(is === "number" ? Number(key) : key, value);
    at = next;
  }
  return [values, at];
}

const follows = (one, other) =>
  one.length === other.length ? Buffer.compare(one, other) < 0 : one.length < other.length;

// The few items this verifier has to write: texts, byte strings, lists of them.
export function write(value) {
  if (typeof value === "string") {
    const bytes = Buffer.from(value, "utf8");
    return Buffer.concat([head(3, bytes.length), bytes]);
  }
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([head(4, value.length), ...value.map(write)]);
}

function head(major, size) {
  if (size < 24) return Buffer.from([(major << 5) | size]);
  if (size < 256) return Buffer.from([(major << 5) | 24, size]);
  return Buffer.from([(major << 5) | 25, size >> 8, size & 255]);
}
