// Ed25519: Node verifies, after public keys that libraries disagree about were refused (SPEC.md 2).

import { createPublicKey, verify as nodeVerify } from "node:crypto";
import { Refused } from "./cbor.mjs";

const P = 2n ** 255n - 19n;
const D = modulo(-121665n * inverse(121666n));
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

function modulo(value) {
  return ((value % P) + P) % P;
}

function power(base, exponent) {
  let result = 1n;
  for (let bits = exponent, square = modulo(base); bits > 0n; bits >>= 1n) {
    if (bits & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

function inverse(value) {
  return power(value, P - 2n);
}

// RFC 8032 5.1.3, then eight times the point: the identity is small order.
export function checkPublic(key) {
  if (key.length !== 32) throw new Refused("bad_public_key", "32 bytes");
  const number = BigInt(`0x${Buffer.from(key).reverse().toString("hex")}`);
  const y = number & ((1n << 255n) - 1n);
  if (y >= P) throw new Refused("bad_public_key", "not canonical");
  const xx = modulo((y * y - 1n) * inverse(modulo(D * y * y + 1n)));
  let x = power(xx, (P + 3n) / 8n);
  if (modulo(x * x - xx) !== 0n) x = modulo(x * power(2n, (P - 1n) / 4n));
  if (modulo(x * x - xx) !== 0n) throw new Refused("bad_public_key", "not on the curve");
  let point = [x, y];
  for (let n = 0; n < 3; n++) point = twice(point);
  if (point[0] === 0n && point[1] === 1n) throw new Refused("bad_public_key", "small order");
  return key;
}

function twice([x, y]) {
  const shared = modulo(D * x * x * y * y);
  return [
    modulo(2n * x * y * inverse(modulo(1n + shared))),
    modulo((y * y + x * x) * inverse(modulo(1n - shared))),
  ];
}

export function verify(key, signature, message) {
  if (signature.length !== 64) return false;
  const spki = { key: Buffer.concat([SPKI, key]), format: "der", type: "spki" };
  return nodeVerify(null, message, createPublicKey(spki), signature);
}
