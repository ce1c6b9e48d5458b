// Sealed bodies (SPEC.md section 5): HPKE base mode (RFC 9180), then the signed inner message.

import { createDecipheriv, createHmac, createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { createHash } from "node:crypto";
import { Refused, read, write } from "./cbor.mjs";
import { split, toBeSigned } from "./cose.mjs";
import { verify } from "./ed25519.mjs";

const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");
const SPKI = Buffer.from("302a300506032b656e032100", "hex");
const KEM_SUITE = Buffer.concat([Buffer.from("KEM"), Buffer.from([0x00, 0x20])]);
const SUITE = Buffer.concat([Buffer.from("HPKE"), Buffer.from([0, 0x20, 0, 1, 0, 3])]);
const NONE = Buffer.alloc(0);

export function privateKey(seed) {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
}

export function publicBytes(key) {
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
}

const hmac = (key, bytes) => createHmac("sha256", key).update(bytes).digest();

export function hkdf(secret, salt, info, size) {
  return expand(hmac(salt.length ? salt : Buffer.alloc(32), secret), info, size);
}

function expand(prk, info, size) {
  let [block, out] = [NONE, NONE];
  for (let n = 1; out.length < size; n++) {
    block = hmac(prk, Buffer.concat([block, info, Buffer.from([n])]));
    out = Buffer.concat([out, block]);
  }
  return out.subarray(0, size);
}

// RFC 9180 section 4
function labeledExtract(suite, salt, label, secret) {
  const labeled = Buffer.concat([Buffer.from("HPKE-v1"), suite, Buffer.from(label), secret]);
  return hmac(salt.length ? salt : Buffer.alloc(32), labeled);
}

function labeledExpand(suite, prk, label, info, size) {
  const length = Buffer.from([size >> 8, size & 255]);
  const labeled = Buffer.concat([length, Buffer.from("HPKE-v1"), suite, Buffer.from(label), info]);
  return expand(prk, labeled, size);
}

function hpkeOpen(wrap, key, info) {
  const [sent, sealed] = [wrap.subarray(0, 32), wrap.subarray(32)];
  const theirs = createPublicKey({ key: Buffer.concat([SPKI, sent]), format: "der", type: "spki" });
  const shared = diffieHellman({ privateKey: key, publicKey: theirs });
  const context = Buffer.concat([sent, publicBytes(key)]);
  const eae = labeledExtract(KEM_SUITE, NONE, "eae_prk", shared);
  const secret = labeledExpand(KEM_SUITE, eae, "shared_secret", context, 32);
  const pskId = labeledExtract(SUITE, NONE, "psk_id_hash", NONE);
  const infoHash = labeledExtract(SUITE, NONE, "info_hash", info);
  const schedule = Buffer.concat([Buffer.from([0]), pskId, infoHash]);
  const prk = labeledExtract(SUITE, secret, "secret", NONE);
  const aead = labeledExpand(SUITE, prk, "key", schedule, 32);
  const nonce = labeledExpand(SUITE, prk, "base_nonce", schedule, 12);
  return aeadOpen(aead, nonce, sealed, NONE);
}

function aeadOpen(key, nonce, sealed, data) {
  const cipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  cipher.setAAD(data, { plaintextLength: sealed.length - 16 });
  cipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
}

// The fields of the inner message of `record`, opened with an X25519 key; `signing` is the key of
// the record around it.
export function openSealed(record, key, signing) {
  const body = read(record.body);
  const context = write(["lavoir-seal/1", record.origin, record.key, record.kind, record.to]);
  const id = createHash("sha256").update(publicBytes(key)).digest().subarray(0, 8);
  const wrap = body.get(1).find(([keyId]) => keyId.equals(id));
  if (body.get(0) !== "lavoir-seal/1" || !wrap) throw new Refused("not_readable");
  const inner = aeadOpen(hpkeOpen(wrap[1], key, context), Buffer.alloc(12), body.get(2), context);
  const { payload, signature } = split(inner);
  if (!verify(signing, signature, toBeSigned(payload))) throw new Refused("bad_signature");
  const fields = read(payload);
  const isOurs =
    fields.get(0) === record.kind && fields.get(2).equals(record.origin) && fields.get(3).equals(record.to);
  if (!isOurs) throw new Refused("not_yours");
  return fields;
}
