// Courier files: statements (headers, receipts) and the items of a file (SPEC.md section 10).

import { Refused, read } from "./cbor.mjs";
import { split, toBeSigned } from "./cose.mjs";
import { verify } from "./ed25519.mjs";
import { parseKeyset, parseRecord } from "./records.mjs";

const NUMBER_MAX = 1n << 40n;
const COUNT_MAX = 1n << 32n;
const MOMENT_MAX = NUMBER_MAX * 1000n;
const SIGNED = Buffer.from("d28443a10132a0", "hex");
const SIGNED_MAX = 128 * 1024;

function need(isRight, detail) {
  if (!isRight) throw new Refused("bad_message", detail);
}

const whole = (most) => (value) => need(typeof value === "bigint" && value >= 0n && value <= most);
const octets = (most, least = most) => (value) =>
  need(Buffer.isBuffer(value) && value.length >= least && value.length <= most);
const isPrintable = (letter) => letter === " " || !/[\p{C}\p{Z}]/u.test(letter);
const text = (most) => (value) =>
  need(typeof value === "string" && [...value].length <= most && [...value].every(isPrintable));
const many = (each, most) => (value) => {
  need(Array.isArray(value) && value.length <= most);
  value.forEach(each);
};
const row = (...forms) => (value) => {
  need(Array.isArray(value) && value.length === forms.length);
  forms.forEach((form, at) => form(value[at]));
};
const ids = (most) => (value) => {
  octets(32 * most, 0)(value);
  need(value.length % 32 === 0);
};

const AUTHOR = [text(64), octets(32), whole(NUMBER_MAX), many(octets(1024, 0), 2)];
const HEADER = [
  ...AUTHOR,
  whole(MOMENT_MAX),
  whole(NUMBER_MAX),
  whole(NUMBER_MAX),
  row(text(80), text(80)),
  row(whole(COUNT_MAX), whole(COUNT_MAX), whole(COUNT_MAX)),
  many(row(octets(32), whole(2n), whole(COUNT_MAX), octets(16)), 1000),
];
const RECEIPT = [
  ...AUTHOR,
  octets(32),
  octets(32),
  whole(MOMENT_MAX),
  many(row(text(64), whole(COUNT_MAX)), 100),
  ids(2000),
];

export function readStatement(raw) {
  if (raw.length > SIGNED_MAX) throw new Refused("too_big");
  const { payload, signature } = split(raw);
  const fields = read(payload);
  need(fields instanceof Map);
  const isReceipt = fields.get(0) === "lavoir-receipt/1";
  const forms = isReceipt ? RECEIPT : HEADER;
  need(forms.every((_, key) => fields.has(key)));
  forms.forEach((form, key) => form(fields.get(key)));
  if (!isReceipt && fields.has(10)) octets(32)(fields.get(10));
  if (!isReceipt && fields.has(11)) whole(NUMBER_MAX)(fields.get(11));
  if (!isReceipt && fields.get(0) !== "lavoir-bundle/1") throw new Refused("bad_type");
  const [, town, number, raws] = fields.values();
  if (!verify(signingKey(town, number, raws), signature, toBeSigned(payload)))
    throw new Refused("bad_signature");
  return fields;
}

function signingKey(town, number, raws) {
  const chain = raws.map(parseKeyset);
  const [first, last] = [chain[0], chain.at(-1)];
  const isNamed = first && first.id.equals(town) && BigInt(last.number) === number;
  const isChild = isNamed && (last === first || (last.root.equals(first.root) && last.town.equals(town)));
  if (!isChild || first.reason !== "genesis") throw new Refused("broken_chain");
  return last.signing;
}

// The signed structures of a file that are whole, wherever they begin.
export function* signedItems(raw) {
  for (let at = raw.indexOf(SIGNED); at >= 0; at = raw.indexOf(SIGNED, at)) {
    const end = signedEnd(raw, at + SIGNED.length);
    if (end) yield raw.subarray(at, end);
    at = end || at + 1;
  }
}

function signedEnd(raw, at) {
  const low = raw[at] - 0x40;
  const width = low < 24 ? 0 : { 24: 1, 25: 2, 26: 4 }[low];
  if (!(low >= 0) || width === undefined || at + 1 + width > raw.length) return 0;
  const length = width ? raw.readUIntBE(at + 1, width) : low;
  const signature = at + 1 + width + length;
  const isWhole = length <= SIGNED_MAX && raw[signature] === 0x58 && raw[signature + 1] === 0x40;
  return isWhole && signature + 66 <= raw.length ? signature + 66 : 0;
}

export function countRecords(raw) {
  const isRecord = (item) => {
    try {
      return Boolean(parseRecord(item));
    } catch {
      return false;
    }
  };
  return [...signedItems(raw)].filter(isRecord).length;
}
