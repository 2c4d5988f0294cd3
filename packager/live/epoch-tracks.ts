/** From a decoder configuration to what an epoch of a track is: init segment, codec string, facts for players. */
import { initSegment } from '../cmaf/init.ts';
import { CodecError } from '../media/codec-error.ts';
import { pictureFacts } from '../media/picture-facts.ts';
import { soundFacts } from '../media/sound-facts.ts';
import { VIDEO_TIMESCALE, type AudioShape } from '../media/timeline.ts';
import type { AudioConfig, VideoConfig } from '../media/unit.ts';
import { wvtt } from '../text/cue.ts';
import { configOf } from '../text/segment.ts';
import type { EpochTrack, RunTrack } from './run.ts';
import { videoRange } from './video-range.ts';

export const videoEpoch = (epoch: number, config: VideoConfig, reorderDelay: number, measuredRate: number | null): EpochTrack => {
  const { codecString, size, frameRate, sar, colour } = pictureFacts(config);
  if (!size) throw new CodecError('invalid', 'nobody has said how large the pictures are');
  const init = initSegment({ kind: 'video', codec: config.codec, config: config.config, timescale: VIDEO_TIMESCALE, ...size, pixelAspect: sar, colour });
  // What the parameter set claims is often wrong; it is more exact than the stamps only where both agree.
  const agreed = frameRate !== null && measuredRate !== null && Math.abs(frameRate - measuredRate) < 0.02 * measuredRate;
  const rate = agreed ? frameRate : measuredRate;
  const told = { kind: 'video', epoch, init, codecString, ...size, reorderDelay, ...videoRange(colour?.transfer ?? null) } as const;
  return rate === null ? told : { ...told, frameRate: rate };
};

export const audioEpoch = (epoch: number, config: AudioConfig, timescale: number): EpochTrack => {
  const { codecString, sampleRate, channels } = soundFacts(config);
  const init = initSegment({ kind: 'audio', codec: config.codec, config: config.config, timescale, sampleRate, channels });
  return { kind: 'audio', epoch, init, codecString, channels, reorderDelay: 0 };
};

export const textEpoch = (epoch: number, { timescale, language }: RunTrack): EpochTrack => {
  const init = initSegment({ kind: 'text', codec: wvtt, config: configOf([]), timescale, language: language ?? 'und' });
  return { kind: 'text', epoch, init, codecString: wvtt, reorderDelay: 0 };
};

/** `timescale` stays that of the run's first configuration, whatever the sample rate becomes. */
export const audioShape = (config: AudioConfig, timescale: number | null): AudioShape => {
  const { sampleRate, frameLength, silence, samplesOf } = soundFacts(config);
  return { timescale: timescale ?? sampleRate, sampleRate, frameLength, silence, samplesOf };
};
