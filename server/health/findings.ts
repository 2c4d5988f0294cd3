/**
 * What may be wrong with what a streamer sends. The names follow those of YouTube's live API where it has one for the
 * same thing, so that whoever knows the one reads the other. Each is described, with a fix, in docs/streaming.md and in
 * the words of the web app; a test holds the three together.
 */
export const findingCodes = [
  'videoIngestionStarved',
  'videoIngestionFasterThanRealtime',
  'audioIngestionStarved',
  'noVideoStream',
  'noAudioStream',
  'videoCodec',
  'audioCodec',
  'videoCodecProtection',
  'audioCodecProtection',
  'videoProfile',
  'videoInterlaced',
  'gopSizeOver',
  'gopSizeLong',
  'gopSizeShort',
  'gopMismatch',
  'openGop',
  'bitrateHigh',
  'bitrateLow',
  'frameRateHigh',
  'frameRateLow',
  'videoResolutionChanged',
  'videoCodecMismatch',
  'audioCodecMismatch',
  'audioSampleRate',
  'audioSampleRateMismatch',
  'audioTooManyChannels',
  'arrivalUneven',
  'stampsJumped',
  'reconnects',
  'twoEncoders',
  'ladderShed',
  'ladderCut',
  'ladderGone',
  'ladderRestarted',
  'opusOnly',
  'secondSoundSilent',
  'srtLatencyLow',
  'srtLossHigh',
  'srtDropped',
  'srtUndecryptable',
] as const;
export type FindingCode = (typeof findingCodes)[number];

/** `error`: viewers notice now. `warning`: some will, or soon. `info`: good to know. */
export type Severity = 'info' | 'warning' | 'error';

/** The numbers and names that its sentence needs. */
export type FindingParams = Readonly<Record<string, number | string>>;

export type Finding = {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** Wall clock, ms. */
  readonly since: number;
  readonly params: FindingParams;
};
