// Signed structures: the one COSE_Sign1 form of SPEC.md section 2.

import { Refused, read, write } from "./cbor.mjs";

const HEAD = Buffer.from("d28443a10132a0", "hex");
const PROTECTED = Buffer.from("a10132", "hex");

const bad = (detail) => new Refused("bad_cose", detail);

export function split(raw) {
  if (!raw.subarray(0, HEAD.length).equals(HEAD)) throw bad("another head");
  const tail = raw.length - 66;
  if (tail <= HEAD.length || raw[tail] !== 0x58 || raw[tail + 1] !== 0x40) throw bad("signature");
  let payload;
  try {
    payload = read(raw.subarray(HEAD.length, tail));
  } catch {
    throw bad("payload");
  }
  if (!Buffer.isBuffer(payload)) throw bad("detached");
  return { payload, signature: raw.subarray(tail + 2) };
}

export const toBeSigned = (payload) => write(["Signature1", PROTECTED, Buffer.alloc(0), payload]);
