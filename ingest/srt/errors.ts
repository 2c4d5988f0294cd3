/** The error catalogue of the SRT edge: why a caller is not let in, as a code that libsrt understands and in words for the log. */
import type { EvictReason } from '../../packager/media/publish.ts';

/**
 * What stands in the handshake's type: 1000 and one of libsrt's own reasons (SRT_REJ_…), or 2000 and one that is
 * made like those of HTTP (SRT_REJX_…, 1400 and up, of its access control).
 */
const faults = {
  'damaged': [1004, 'the handshake is damaged'],
  'cookie': [1004, 'the cookie of the handshake is not ours, or too old'],
  'full': [1003, 'too many connections'],
  'version': [1008, 'this version of SRT is too old; 1.3.0 or newer is needed'],
  'wrong-passphrase': [1010, 'the passphrase is wrong'],
  'passphrase-needed': [1011, 'this channel has a passphrase, and the sender uses none'],
  'no-passphrase-set': [1011, 'the sender encrypts, and this channel has no passphrase'],
  'stream-mode': [1012, 'only live streams are taken: set the transmission type to live'],
  'congestion': [1013, 'only live streams are taken: set the congestion control to live'],
  'group': [1015, 'bonded connections are not supported'],
  'key-material': [1017, 'this kind of encryption is not supported; only AES in CTR mode is'],
  'stream-id': [2400, 'the stream id cannot be read'],
  'no-stream-key': [2400, 'no stream key: write it into the stream id, as in srt://host:10080?streamid=KEY'],
  'not-publish': [2405, 'this server takes streams over SRT and plays them over HLS: the stream id has to say m=publish'],
  'unknown-key': [2401, 'the stream key is not known'],
  'slow-down': [2402, 'too many wrong stream keys'],
  'busy': [2409, 'somebody is already live on this channel'],
  'refused': [2403, 'refused'],
  'shutting-down': [2503, 'the server is shutting down'],
  'fault': [2500, 'the server had a problem with this stream'],
} as const satisfies Record<string, readonly [number, string]>;

export type SrtFault = keyof typeof faults;

export const rejectionCode = (fault: SrtFault): number => faults[fault][0];
export const wordsOf = (fault: SrtFault): string => faults[fault][1];

export const evictionWords: Readonly<Record<EvictReason, string>> = {
  'taken-over': 'another encoder took over with the same stream key',
  'key-revoked': 'the stream key was revoked',
  'ended-by-owner': 'the show was ended in the studio',
  'channel-deleted': 'the channel was deleted',
  'shutting-down': 'the server is shutting down',
  'fault': 'the server had a problem with this stream',
};
