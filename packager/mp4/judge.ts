/**
 * Standard input: what can be shown as it lies in the file, with nothing encoded anew. docs/standard-input.md says the same
 * to people. Every track is judged by itself: a picture may be shown as it is beside a sound that is not.
 */
import { setImmediate } from 'node:timers/promises';
import { parseAudioSpecificConfig } from '../media/aac.ts';
import { parseAvcConfig, parseSps } from '../media/h264.ts';
import { parseHevcConfig } from '../media/hevc-config.ts';
import { inTurns, type Steps } from '../progressive/steps.ts';
import { judgeGops } from './judge-gops.ts';
import { judgeKeys, type Sets } from './judge-keys.ts';
import type { Movie, MovieAudio, MovieTrack, MovieVideo, RangeSource } from './movie.ts';
import type { Reason, TrackVerdict, Verdict } from './verdict.ts';
import { blocksOf } from './virtual-samples.ts';

/** 8192 by 8192, and what else has as many. */
const mostPixels = 67_108_864;

/** ISO 14496-10, annex A: Baseline, Main, High. */
const commonProfiles = new Set([66, 77, 100]);
/** ISO 23008-2, annex A: Main, Main 10. */
const hevcProfiles = new Set([1, 2]);

type Configured = { readonly sets: Sets; readonly lengthSize: number; readonly pixels: string | null };

const avcPixels = (sps: Sets): string | null => {
  for (const set of sps) {
    const { profile, chromaFormat, bitDepth } = parseSps(set);
    if (chromaFormat !== 1 || bitDepth !== 8) return `${['monochrome', '4:2:0', '4:2:2', '4:4:4'][chromaFormat]} of ${bitDepth} bits`;
    if (!commonProfiles.has(profile)) return `of profile ${profile}`;
  }
  return null;
};

const configured = ({ config }: MovieVideo, codec: 'h264' | 'hevc'): Configured => {
  if (codec === 'h264') {
    const { sps, pps, lengthSize } = parseAvcConfig(config);
    return { sets: [...sps, ...pps], lengthSize, pixels: avcPixels(sps) };
  }
  const { vps, sps, pps, lengthSize, chromaFormat, bitDepth, profile } = parseHevcConfig(config);
  const common = chromaFormat === 1 && (bitDepth === 8 || bitDepth === 10) && hevcProfiles.has(profile);
  return { sets: [...vps, ...sps, ...pps], lengthSize, pixels: common ? null : `of profile ${profile} with ${bitDepth} bits` };
};

const named = (fourcc: string): string => (/^[\x21-\x7e][\x20-\x7e]{3}$/.test(fourcc) ? fourcc.trim() : 'an unknown codec');

type Judged = { readonly reasons: readonly Reason[]; readonly missing: number };

const judgePictures = async (track: MovieVideo, source: RangeSource): Promise<Judged> => {
  const { codec, width, height } = track;
  if (codec === 'other') {
    return { reasons: [{ code: 'codec', message: `The pictures are ${named(track.fourcc)} that cannot be carried as it is.` }], missing: 0 };
  }
  const { sets, lengthSize, pixels } = configured(track, codec);
  const reasons: Reason[] = [];
  if (pixels !== null) reasons.push({ code: 'pixels', message: `The pictures are ${pixels}.` });
  if (width * height > mostPixels) reasons.push({ code: 'picture-size', message: `The pictures are ${width} × ${height}.` });
  reasons.push(...(await inTurns(judgeGops(track), setImmediate)));
  if (lengthSize !== 4) {
    reasons.push({ code: 'nal-lengths', message: `NAL units have lengths of ${lengthSize} bytes.` });
    return { reasons, missing: 0 };
  }
  const { reasons: atKeys, missing } = await judgeKeys(track, codec, sets, source);
  return { reasons: [...reasons, ...atKeys], missing };
};

/** Between two frames, beyond what rounded stamps and a lost frame make: players stop at such a hole. */
const longestHole = 0.1;
const lowComplexity = 2;

function* longestFrame({ samples }: MovieAudio): Steps<number> {
  let longest = 0;
  // The last one is followed by nothing.
  for (const { rows } of blocksOf(samples, 0, samples.count - 1)) {
    yield;
    for (const ticks of rows.duration) if (ticks > longest) longest = ticks;
  }
  return longest;
}

const judgeSound = async (track: MovieAudio): Promise<readonly Reason[]> => {
  if (track.codec === 'other') return [{ code: 'codec', message: `The sound is ${named(track.fourcc)}, and not AAC.` }];
  const { edit, timescale } = track;
  const { objectType, sampleRate, frameLength } = parseAudioSpecificConfig(track.config);
  const reasons: Reason[] = [];
  if (objectType !== lowComplexity || frameLength !== 1024) {
    reasons.push({ code: 'aac-profile', message: 'The sound is AAC of a profile that browsers do not play.' });
  }
  if (edit.kind === 'complex') reasons.push({ code: 'edit-list', message: `The edit list is more than a delay and one piece: ${edit.why}.` });
  const hole = (await inTurns(longestFrame(track), setImmediate)) / timescale - frameLength / sampleRate;
  if (hole > longestHole) reasons.push({ code: 'sound-gaps', message: `There are holes of up to ${hole.toFixed(1)} s between the frames of the sound.` });
  return reasons;
};

const judgeTrack = async (track: MovieTrack, source: RangeSource): Promise<{ readonly verdict: TrackVerdict; readonly missing: number }> => {
  const { id, kind } = track;
  if (track.samples.count === 0 || (track.kind !== 'video' && track.kind !== 'audio')) {
    return { verdict: { id, kind, use: 'none', reasons: [] }, missing: 0 };
  }
  const { reasons, missing } = track.kind === 'video' ? await judgePictures(track, source) : { reasons: await judgeSound(track), missing: 0 };
  const fit = track.codec === 'hevc' ? 'carried' : 'standard';
  return { verdict: { id, kind, use: reasons.length === 0 ? fit : 'encode', reasons }, missing };
};

/** Rejects with an Mp4Error, or with what `source` throws. Bytes that have not arrived are no error: see `final`. */
export const judgeMovie = async ({ tracks }: Movie, source: RangeSource): Promise<Verdict> => {
  const verdicts: TrackVerdict[] = [];
  let missed = 0;
  for (const track of tracks) {
    const { verdict, missing } = await judgeTrack(track, source);
    verdicts.push(verdict);
    missed += missing;
  }
  return { tracks: verdicts, final: missed === 0 };
};
