/**
 * What is said of a key to players, for each system by which they can get it:
 *
 *     HLS                     EXT-X-KEY, and EXT-X-SESSION-KEY where it is wanted      hls/key-lines.ts
 *     DASH                    ContentProtection with cenc:pssh                         dash/protection.ts
 *     init segment (cbcs)     pssh boxes                                               cbcs-init.ts
 *
 * Whoever makes the keys knows the systems; what is printed of them is printed here as it comes, so it is looked at first.
 */
import { boxes } from '../cmaf/box-reader.ts';
import { CmafError } from '../cmaf/cmaf-error.ts';
import { KeyError } from './key-error.ts';
import type { Scheme } from './keys.ts';

/** This server hands the key to whoever may play the video: `identity` in HLS, ClearKey in DASH, the common pssh of W3C. */
export type OwnSignal = { readonly by: 'server' };

/** A system of somebody else's gives licences for it (Widevine, PlayReady, FairPlay, …). */
export type SystemSignal = {
  readonly by: 'system';
  /** UUID: in `schemeIdUri` and in the box. */
  readonly systemId: string;
  /** A whole `pssh` box (ISO 23001-7, 8.1). */
  readonly pssh: Buffer | null;
  readonly hls: HlsSignal | null;
  readonly dash: DashSignal | null;
};

export type KeySignal = OwnSignal | SystemSignal;

/** Attributes of EXT-X-KEY (RFC 8216bis 4.4.4.4); the IV is that of the key. */
export type HlsSignal = {
  readonly uri: string;
  readonly keyFormat: string;
  readonly keyFormatVersions: string | null;
  /** Said in the multivariant playlist as well, so that a licence can be asked for before the first segment. */
  readonly session: boolean;
};

export type DashSignal = {
  readonly value: string | null;
  /** Elements inside of ContentProtection, behind cenc:pssh. XML with its own namespaces. */
  readonly xml: string;
};

export const ours: readonly KeySignal[] = [{ by: 'server' }];

/** Whether whoever may play the video gets this key from this server. */
export const isGivenHere = ({ signals }: { readonly signals: readonly KeySignal[] }): boolean => signals.some(({ by }) => by === 'server');

const mostSignals = 8;
const mostBytes = 8 * 1024;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What a quoted string cannot hold (RFC 8216bis 4.2), and what no address does. */
const quotable = /^[^"\p{Cc}\s]*$/u;
const printable = /^[^\p{Cc}\p{Cs}]*$/u;

/** Throws a KeyError for what cannot be printed. */
export const checkSignals = (signals: readonly KeySignal[]): void => {
  if (signals.length === 0 || signals.length > mostSignals) throw unusable(`${signals.length} signals of a key`);
  for (const signal of signals) if (signal.by === 'system') checkSystem(signal);
};

/** HLS has a line for it. Whole files are decrypted by players themselves, which need the key and not a licence. */
export const isToldInHls = (signal: KeySignal, scheme: Scheme): boolean =>
  signal.by === 'server' || (signal.hls !== null && (scheme === 'cbcs' || signal.hls.keyFormat === 'identity'));

/**
 * Throws a KeyError for a key that players of HLS, or of DASH where it is for both, would hear nothing of: what is under it would stand in
 * the list as if it were under the key before, or clear.
 */
export const checkTold = (signals: readonly KeySignal[], scheme: Scheme): void => {
  if (!signals.some((signal) => isToldInHls(signal, scheme))) throw unusable(`a key of which HLS says nothing under ${scheme}`);
  if (scheme === 'cbcs' && !signals.some((signal) => signal.by === 'server' || signal.dash !== null)) throw unusable('a key of which DASH says nothing');
};

const checkSystem = ({ systemId, pssh, hls, dash }: SystemSignal): void => {
  if (!uuid.test(systemId)) throw unusable('a system whose id is no UUID in small letters');
  if (pssh && !isPssh(pssh, systemId)) throw unusable(`what is to be the pssh of ${systemId} is none`);
  if (hls && !(hls.uri !== '' && hls.keyFormat !== '' && [hls.uri, hls.keyFormat, hls.keyFormatVersions ?? ''].every((text) => quotable.test(text) && text.length <= mostBytes))) {
    throw unusable(`what HLS is to say of ${systemId} cannot be said`);
  }
  if (dash && !(printable.test(dash.value ?? '') && printable.test(dash.xml) && dash.xml.length <= mostBytes)) throw unusable(`what DASH is to say of ${systemId} cannot be said`);
};

const isPssh = (box: Buffer, systemId: string): boolean => {
  if (box.length > mostBytes) return false;
  try {
    const [only, more] = boxes(box);
    // Behind version and flags.
    return only?.type === 'pssh' && !more && only.end === box.length && box.subarray(only.body + 4, only.body + 20).toString('hex') === systemId.replaceAll('-', '');
  } catch (error) {
    if (error instanceof CmafError) return false;
    throw error;
  }
};

const unusable = (message: string): KeyError => new KeyError('unusable', message);
