/** What is judged of tracks: whether they are there, whether they can be carried, what became of them, and the sound's form. */
import { takesCbcs } from '../../packager/protect/cbcs-init.ts';
import type { Change, IngestFacts } from './facts.ts';
import type { FindingParams } from './findings.ts';
import type { Rule } from './judge.ts';

/** Both tracks come within moments; who has not sent the second by then has none. */
const tracksWithin = 6_000;
/** What has happened is told for a minute. */
const toldFor = 60_000;
const silence = 3_000;

const usualSampleRates: readonly number[] = [44_100, 48_000];

const missing =
  (kind: 'video' | 'audio'): Rule['judge'] =>
  ({ session, [kind]: track, uncarried }) =>
    // What is there and cannot be carried is told by its name.
    session && session.age > tracksWithin && !track && !uncarried.some(({ media }) => media === kind) ? {} : null;

const cannotCarry =
  (kind: 'video' | 'audio'): Rule['judge'] =>
  ({ uncarried }) => {
    const found = uncarried.find(({ media }) => media === kind);
    return found ? { codec: found.codec } : null;
  };

/** As people write them. */
const codecNames: Readonly<Record<string, string>> = { hevc: 'HEVC', av1: 'AV1', vp9: 'VP9', opus: 'Opus' };

/** A show has one picture and one sound, so delivery refuses all of it: see `unprotectable` in server/delivery/cbcs-view.ts. What is made of the sound in AAC takes its place. */
const notForCbcs =
  (kind: 'video' | 'audio'): Rule['judge'] =>
  ({ session, protection, secondSound, [kind]: track }) =>
    session && protection === 'cbcs' && track && !takesCbcs(track.codec) && !(kind === 'audio' && hasSecond(secondSound)) ? { codec: codecNames[track.codec] ?? track.codec } : null;

/** Players were told of it, whether or not anybody makes it now. */
const hasSecond = (secondSound: IngestFacts['secondSound']): boolean => secondSound === 'on' || secondSound === 'silent';

const became =
  (what: Change['what']): Rule['judge'] =>
  ({ broadcast }): FindingParams | null => {
    const change = broadcast.changes.findLast((one) => one.what === what && one.ago < toldFor);
    return change ? { from: change.from, to: change.to } : null;
  };

export const mediaRules: readonly Rule[] = [
  { ...{ code: 'noVideoStream', severity: 'info', after: 0, stays: 1_000 }, judge: missing('video') },
  { ...{ code: 'noAudioStream', severity: 'warning', after: 0, stays: 1_000 }, judge: missing('audio') },
  { ...{ code: 'videoCodec', severity: 'error', after: 0, stays: 1_000 }, judge: cannotCarry('video') },
  { ...{ code: 'audioCodec', severity: 'error', after: 0, stays: 1_000 }, judge: cannotCarry('audio') },
  { ...{ code: 'videoCodecProtection', severity: 'error', after: 0, stays: 1_000 }, judge: notForCbcs('video') },
  { ...{ code: 'audioCodecProtection', severity: 'error', after: 0, stays: 1_000 }, judge: notForCbcs('audio') },
  { ...{ code: 'videoResolutionChanged', severity: 'info', after: 0, stays: 0 }, judge: became('resolution') },
  { ...{ code: 'videoCodecMismatch', severity: 'warning', after: 0, stays: 0 }, judge: became('videoCodec') },
  { ...{ code: 'audioCodecMismatch', severity: 'warning', after: 0, stays: 0 }, judge: became('audioCodec') },
  { ...{ code: 'audioSampleRateMismatch', severity: 'info', after: 0, stays: 0 }, judge: became('sampleRate') },
  {
    ...{ code: 'audioSampleRate', severity: 'info', after: 0, stays: 1_000 },
    judge: ({ session, audio }) => (session && audio && audio.sampleRate !== null && !usualSampleRates.includes(audio.sampleRate) ? { hz: audio.sampleRate } : null),
  },
  {
    ...{ code: 'audioTooManyChannels', severity: 'warning', after: 0, stays: 1_000 },
    judge: ({ session, audio }) => (session && audio && (audio.channels ?? 0) > 2 ? { channels: audio.channels ?? 0 } : null),
  },
  { ...{ code: 'opusOnly', severity: 'warning', after: 0, stays: 1_000 }, judge: ({ session, audio, secondSound }) => (session && audio?.codec === 'opus' && secondSound === 'none' ? {} : null) },
  { ...{ code: 'secondSoundSilent', severity: 'warning', after: 3_000, stays: 3_000 }, judge: ({ session, secondSound }) => (session && secondSound === 'silent' ? {} : null) },
  {
    // Beside a picture that runs: when nothing comes at all, the line is what is told of.
    ...{ code: 'audioIngestionStarved', severity: 'error', after: 1_000, stays: 3_000 },
    judge: ({ session, audio, video }: IngestFacts) => (session && audio && audio.silent > silence && (!video || video.silent < video.patience) ? { seconds: Math.round(audio.silent / 1000) } : null),
  },
];
