/** From a decoder configuration to what an epoch of a track is: init segment, codec string, facts for players. */
import { initSegment } from '../cmaf/init.ts';
import { aacCodecString, parseAudioSpecificConfig, silentAacFrame } from '../media/aac.ts';
import { avcCodecString, parseAvcConfig, parseSps } from '../media/h264.ts';
import { CodecError } from '../media/codec-error.ts';
import { VIDEO_TIMESCALE, type AudioShape } from '../media/timeline.ts';
import type { TrackConfig } from '../media/unit.ts';
import { wvtt } from '../text/cue.ts';
import { configOf } from '../text/segment.ts';
import type { EpochTrack, RunTrack } from './run.ts';
import { videoRangeOf } from './video-range.ts';

export const videoEpoch = (epoch: number, config: TrackConfig, reorderDelay: number, measuredRate: number | null): EpochTrack => {
  const avc = parseAvcConfig(config.config);
  const [first] = avc.sps;
  if (!first) throw new CodecError('invalid', 'the decoder configuration holds no sequence parameter set');
  const { width, height, frameRate } = parseSps(first);
  const init = initSegment({ kind: 'video', codec: 'h264', config: config.config, timescale: VIDEO_TIMESCALE, width, height });
  // What the parameter set claims is often wrong; it is more exact than the stamps only where both agree.
  const agreed = frameRate !== null && measuredRate !== null && Math.abs(frameRate - measuredRate) < 0.02 * measuredRate;
  const rate = agreed ? frameRate : measuredRate;
  const told = { kind: 'video', epoch, init, codecString: avcCodecString(avc), width, height, reorderDelay, ...videoRangeOf(config.config) } as const;
  return rate === null ? told : { ...told, frameRate: rate };
};

export const audioEpoch = (epoch: number, config: TrackConfig, timescale: number): EpochTrack => {
  const aac = parseAudioSpecificConfig(config.config);
  const { sampleRate, channels } = aac;
  const init = initSegment({ kind: 'audio', codec: 'aac', config: config.config, timescale, sampleRate, channels });
  return { kind: 'audio', epoch, init, codecString: aacCodecString(aac), channels, reorderDelay: 0 };
};

export const textEpoch = (epoch: number, { timescale, language }: RunTrack): EpochTrack => {
  const init = initSegment({ kind: 'text', codec: wvtt, config: configOf([]), timescale, language: language ?? 'und' });
  return { kind: 'text', epoch, init, codecString: wvtt, reorderDelay: 0 };
};

/** `timescale` stays that of the run's first configuration, whatever the sample rate becomes. */
export const audioShape = (config: TrackConfig, timescale: number | null): AudioShape => {
  const aac = parseAudioSpecificConfig(config.config);
  return { timescale: timescale ?? aac.sampleRate, sampleRate: aac.sampleRate, frameLength: aac.frameLength, silence: silentAacFrame(aac) };
};
