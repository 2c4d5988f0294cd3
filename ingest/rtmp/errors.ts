/** The error catalogue of the RTMP edge: every way in which a session can go wrong, with words for a person. */
import type { EndReason, EvictReason, RefusalCode } from '../../packager/media/publish.ts';

const words = {
  'not-rtmp': 'this is not RTMP: the first byte of a connection must be 3',
  'rtmps-on-plain-port': 'this port speaks plain RTMP, and what came is the start of a TLS connection (rtmps://)',
  'http-on-rtmp-port': 'this port speaks RTMP, and what came is an HTTP request',
  'rtmpe': 'encrypted RTMP (RTMPE) is not supported; use rtmp:// or rtmps://',
  'handshake-timeout': 'the handshake was not finished in time',
  'publish-timeout': 'the connection did not ask to publish in time',
  'admission-timeout': 'the server could not decide about this stream in time; try again',
  'idle-timeout': 'no picture and no sound came for too long',
  'chunk-size': 'Set Chunk Size must be between 1 and 2147483647',
  'chunk-without-header': 'a chunk stream began with a chunk that repeats a header it never had',
  'chunk-inside-message': 'a new message began on a chunk stream before the one under way was complete',
  'too-many-chunk-streams': 'too many chunk streams on one connection',
  'message-too-long': 'a message is longer than allowed',
  'too-many-partial-bytes': 'too many unfinished messages at the same time',
  'control-too-short': 'a protocol control message is too short',
  'amf-truncated': 'an AMF value ends before its end',
  'amf-too-deep': 'AMF values are nested too deeply',
  'amf-string-too-long': 'an AMF string is longer than allowed',
  'amf-too-many-values': 'an AMF message holds too many values',
  'amf-type': 'an AMF value has a type that is not AMF0',
  'command-name': 'a command has no name',
  'command-order': 'a command came that makes no sense here',
  'too-many-commands': 'too many messages before the stream was published',
  'play': 'this server takes streams over RTMP and plays them over HLS; open the channel page instead',
  'no-stream-key': 'no stream key: enter it in the field "stream key" of the encoder',
  'stream-key-form': 'the stream key is too long or holds characters that no stream key has',
  'aggregate-broken': 'an aggregate message is cut short',
  'avc-config': 'the H.264 configuration record is damaged',
  'avc-lengths': 'an H.264 picture is damaged: a NAL unit is longer than its packet',
  'enhanced-header': 'a packet of Enhanced RTMP is cut short',
  'codec-config': 'the configuration of a codec is damaged',
  'unsupported-codec': 'this codec is not supported; choose H.264, HEVC, AV1 or VP9 for the picture and AAC or Opus for the sound',
  'output-full': 'the sender does not read what the server answers',
} as const;

export type RtmpFault = keyof typeof words;

/** What every parser and every rule of this folder throws, and nothing else. Never holds what a sender wrote. */
export class RtmpError extends Error {
  readonly fault: RtmpFault;
  constructor(fault: RtmpFault, detail?: string) {
    super(detail === undefined ? words[fault] : `${words[fault]} (${detail})`);
    this.name = 'RtmpError';
    this.fault = fault;
  }
}

/**
 * The status code for each refusal. BadName is what encoders take for "wrong key or already on air"; Denied for
 * what may pass by itself, or was decided by somebody.
 *
 * OBS (to 31) does not know BadName: it waits until we close, which is why the words are followed by the end of the
 * connection. On Denied it closes by itself, and writes code and description into its log. After either it asks its
 * user to check the key and does not try again, unless it was on the air and lost its line: then it tries on, whatever
 * it is told, so whoever is refused is slowed down.
 */
export const refusalStatus: Readonly<Record<RefusalCode, string>> = {
  'unknown-key': 'NetStream.Publish.BadName',
  'wrong-passphrase': 'NetStream.Publish.Denied',
  'busy': 'NetStream.Publish.BadName',
  'slow-down': 'NetStream.Publish.Denied',
  'shutting-down': 'NetStream.Publish.Denied',
  'refused': 'NetStream.Publish.Denied',
};

/**
 * What a publisher that is sent away is told. All are of level `error`, because ffmpeg prints the description
 * of an error and of nothing else.
 */
export const evictionStatus: Readonly<Record<EvictReason, { readonly code: string; readonly words: string }>> = {
  'taken-over': { code: 'NetStream.Publish.BadName', words: 'another encoder took over with the same stream key' },
  'key-revoked': { code: 'NetStream.Publish.BadName', words: 'the stream key was revoked' },
  'ended-by-owner': { code: 'NetStream.Unpublish.Success', words: 'the show was ended in the studio' },
  'channel-deleted': { code: 'NetStream.Publish.BadName', words: 'the channel was deleted' },
  'shutting-down': { code: 'NetConnection.Connect.Closed', words: 'the server is shutting down; connect again' },
  'fault': { code: 'NetStream.Failed', words: 'the server had a problem with this stream; connect again' },
};

/** The status code that fits a fault, for a peer that is connected. */
const faultStatus = (fault: RtmpFault): string => {
  if (fault === 'play') return 'NetStream.Play.Failed';
  if (fault === 'no-stream-key' || fault === 'stream-key-form') return 'NetStream.Publish.BadName';
  return 'NetStream.Publish.Denied';
};

/** How a session that threw ends: for the core, for the log, and for the sender. */
export type Parting = {
  readonly end: EndReason;
  readonly line: { readonly level: 'warn' | 'error'; readonly [field: string]: unknown };
  readonly code: string;
  readonly words: string;
};

export const partingOf = (error: unknown): Parting => {
  // Not the sender's fault: something of ours threw.
  if (!(error instanceof RtmpError)) {
    return { end: 'evicted', line: { level: 'error', err: error }, ...evictionStatus.fault };
  }
  const { fault, message } = error;
  return {
    end: fault.endsWith('-timeout') ? 'timeout' : 'protocol-error',
    line: { level: 'warn', fault },
    code: faultStatus(fault),
    words: message,
  };
};
