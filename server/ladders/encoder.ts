/** What a ladder wants of an encoder, done by ffmpeg. */
import type { Clock } from '../../packager/clock.ts';
import { LiveEncoder } from '../../packager/encode/live-encoder.ts';
import type { LiveRung } from '../../packager/encode/live-command.ts';
import { rateBounds } from '../../packager/encode/live-rate.ts';
import type { JobPlace, Sandbox } from '../../packager/encode/sandbox.ts';
import { videoEpoch } from '../../packager/live/epoch-tracks.ts';
import { MOST_KEPT_BYTES, type EncoderAsk, type StartEncoder } from '../../packager/live/ladder-epoch.ts';
import type { RungFacts } from '../../packager/live/run-facts.ts';
import { pictureFacts } from '../../packager/media/picture-facts.ts';
import { parseAvcConfig, parseSps } from '../../packager/media/h264.ts';
import type { VideoConfig } from '../../packager/media/unit.ts';

export type EncoderHost = {
  readonly clock: Clock;
  readonly sandbox: Sandbox;
  readonly place: JobPlace;
  /** What a new one has cost by the time it is over, seconds of a core. */
  readonly cost?: (coreSeconds: number) => void;
};

/** Pictures that decoders may hold back at the most. */
const mostReordered = 16;
const usualRate = 30;
/** What may wait beside what a new start is given. */
const aheadBytes = 16 * 1024 * 1024;
/** Where nobody knows how many there are. */
const highRate = 60;

export const ffmpegEncoder =
  ({ clock, sandbox, place }: EncoderHost): StartEncoder =>
  (ask) => {
    const encoder = new LiveEncoder({
      ...{ clock, sandbox, place, queueBytes: MOST_KEPT_BYTES + aheadBytes },
      source: { ...sourceOf(ask.source), reorder: picturesHeldBack(ask) },
      rungs: ask.rungs.map(({ track: { rung }, from }) => liveRung(rung, from)),
      configured: (index, config) => withRung(ask, index, ({ id, rung }) => ask.made(id, videoEpoch(0, { kind: 'video', codec: 'h264', config }, 0, rung?.frameRate ?? null))),
      picture: (index, picture) => withRung(ask, index, ({ id }) => ask.picture(id, picture)),
    });
    void encoder.ended.then(({ how, words }) => ask.over(how === 'drained' ? 'drained' : 'failed', words));
    return {
      picture: (picture) => {
        // So much of it waits that the encoder will not catch up: what follows could not be decoded without it.
        if (!encoder.feed(picture)) encoder.kill();
      },
      end: () => encoder.end(),
      kill: () => encoder.kill(),
      coreSeconds: () => encoder.progress().coreSeconds,
    };
  };

/**
 * As few as can be: a decoder keeps every picture for as long as it is told that others may come to stand before it. What an
 * H.264 stream says of itself it heeds anyhow; of the others the time says it that was seen when the show began, and
 * a decoder that sees more of them makes room.
 */
export const picturesHeldBack = ({ source, reorder, rungs }: Pick<EncoderAsk, 'source' | 'reorder' | 'rungs'>): number => {
  const said = source.codec === 'h264' ? (parseAvcConfig(source.config).sps.map((set) => parseSps(set).maxNumReorderFrames)[0] ?? null) : null;
  if (said !== null) return said;
  const rates = rungs.map(({ track: { rung } }) => (rung && rung.mostPictures === null ? (rung.frameRate ?? highRate) : highRate));
  return Math.min(mostReordered, Math.ceil((reorder * Math.max(...rates)) / 90_000 - 0.1));
};

const withRung = (ask: EncoderAsk, index: number, run: (track: EncoderAsk['rungs'][number]['track']) => void): void => {
  const rung = ask.rungs[index];
  if (rung) run(rung.track);
};

/** frame_mbs_only_flag; other codecs have no fields that anybody sends. */
const fieldsIn = ({ codec, config }: VideoConfig): boolean => codec === 'h264' && parseAvcConfig(config).sps.some((set) => parseSps(set).interlaced);

const sourceOf = (source: VideoConfig) => {
  const { size, sar, colour } = pictureFacts(source);
  if (!size) throw new Error('nobody has said how large the pictures are');
  return { codec: source.codec, config: source.config, width: size.width, height: size.height, sar, colour, interlaced: fieldsIn(source) };
};

export const liveRung = (rung: RungFacts | undefined, from: number): LiveRung => {
  if (!rung) throw new Error('a track that is no rung');
  const { width, height, preset, bitRate, level, frameRate, mostPictures } = rung;
  return {
    ...{ width, height, preset, bitRate, level },
    ...rateBounds(bitRate),
    frameRate: { numerator: Math.round((frameRate ?? usualRate) * 1000), denominator: 1000 },
    cap: mostPictures,
    // From 0 on too: what an open GOP shows before the first key picture of a show cannot be decoded whole.
    after: from - 1,
  };
};
