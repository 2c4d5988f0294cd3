/**
 * The handshake (RTMP 1.0, section 5.2), server side: C0 C1 in, S0 S1 S2 out, C2 in. Pure, fed with bytes.
 *
 * The specification knows only the simple form. FFmpeg, OBS and Flash send the digest form: C1 holds an
 * HMAC, and a client that cares (FFmpeg when it plays) wants S1 and S2 with ours. Whoever sends a valid
 * digest gets digests, everybody else an echo. C2 is read and not judged: senders put all sorts there.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { RtmpError } from './errors.ts';

const packetBytes = 1536;
const digestBytes = 32;

// The constants that Adobe's player and server sign with, known to every implementation.
const secretTail = Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex');
const playerName = Buffer.from('Genuine Adobe Flash Player 001');
const serverName = Buffer.from('Genuine Adobe Flash Media Server 001');

/** Both players of the game, so that a client in a test can sign as a real one does. */
export const handshakeKeys = { player: playerName, server: serverName };

export type HandshakeStep = {
  /** To be sent now. */
  readonly reply?: Buffer;
  /** The handshake is over, and these bytes came after it. */
  readonly rest?: Buffer;
};

export class ServerHandshake {
  #hello = Buffer.alloc(1 + packetBytes);
  #have = 0;
  #skip = packetBytes;

  push(bytes: Buffer): HandshakeStep {
    const wanted = this.#hello.length - this.#have;
    if (this.#have === 0 && bytes[0] !== undefined) checkVersion(bytes[0]);
    const taken = bytes.copy(this.#hello, this.#have, 0, Math.min(wanted, bytes.length));
    this.#have += taken;
    if (this.#have < this.#hello.length) return {};

    const c2 = Math.min(this.#skip, bytes.length - taken);
    this.#skip -= c2;
    const step = wanted > 0 ? { reply: answer(this.#hello.subarray(1)) } : {};
    return this.#skip === 0 ? { ...step, rest: bytes.subarray(taken + c2) } : step;
  }
}

const checkVersion = (version: number): void => {
  if (version === 3) return;
  if (version === 6 || version === 8) throw new RtmpError('rtmpe');
  if (version === 0x16) throw new RtmpError('rtmps-on-plain-port');
  if ('GPHDOC'.includes(String.fromCharCode(version))) throw new RtmpError('http-on-rtmp-port');
  throw new RtmpError('not-rtmp');
};

const answer = (c1: Buffer): Buffer => {
  const reply = randomBytes(1 + 2 * packetBytes);
  reply[0] = 3;
  const s1 = reply.subarray(1, 1 + packetBytes);
  const s2 = reply.subarray(1 + packetBytes);
  const offset = digestOffset(c1);
  if (offset === undefined) {
    s1.fill(0, 0, 8);
    c1.copy(s2);
    return reply;
  }
  // A time of zero and a version: clients look for digests only where the version is not zero.
  s1.set([0, 0, 0, 0, 4, 5, 0, 1]);
  const place = offset.scheme.place(s1);
  digest(s1, place, serverName).copy(s1, place);
  const key = hmac(Buffer.concat([serverName, secretTail]), c1.subarray(offset.at, offset.at + digestBytes));
  const end = packetBytes - digestBytes;
  hmac(key, s2.subarray(0, end)).copy(s2, end);
  return reply;
};

type Scheme = { readonly place: (packet: Buffer) => number };
const scheme = (base: number): Scheme => ({
  place: (packet) => base + 4 + (sum4(packet, base) % 728),
});
const sum4 = (packet: Buffer, at: number): number =>
  packet.readUInt8(at) + packet.readUInt8(at + 1) + packet.readUInt8(at + 2) + packet.readUInt8(at + 3);

/** The digest lies in the first or in the second half, at a place that four bytes of that half tell. */
export const digestSchemes: readonly Scheme[] = [scheme(8), scheme(772)];

const digestOffset = (c1: Buffer): { at: number; scheme: Scheme } | undefined => {
  if (c1.readUInt32BE(4) === 0) return undefined;
  for (const candidate of digestSchemes) {
    const at = candidate.place(c1);
    if (timingSafeEqual(digest(c1, at, playerName), c1.subarray(at, at + digestBytes))) {
      return { at, scheme: candidate };
    }
  }
  return undefined;
};

/** The HMAC of a packet without the 32 bytes in which it will lie. */
export const digest = (packet: Buffer, at: number, key: Buffer): Buffer =>
  hmac(key, Buffer.concat([packet.subarray(0, at), packet.subarray(at + digestBytes)]));

const hmac = (key: Buffer, bytes: Buffer): Buffer => createHmac('sha256', key).update(bytes).digest();
