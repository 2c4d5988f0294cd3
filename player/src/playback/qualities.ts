/**
 * The sizes that a viewing may have, and which of them one that was chosen means here. Pure. A choice is kept as a height:
 * the next video has other rungs.
 */
export type Quality = {
  readonly id: string;
  /** Of the shorter side; null: sound alone. */
  readonly height: number | null;
  /** Pictures a second, where the list tells. */
  readonly frameRate: number | null;
  /** Bits a second, on average. */
  readonly bitRate: number;
};

type Level = { readonly width: number; readonly height: number; readonly frameRate: number; readonly averageBitrate: number; readonly audioCodec?: string | undefined };

/**
 * The best first. Ids are places in the list as it is now. Where the sound is there in several codecs each picture is listed with
 * each of them: those that go with the sound of the level `now` are all that there is to choose from.
 */
export const qualitiesOf = (levels: readonly Level[], now = 0): readonly Quality[] =>
  levels
    // hls.js tells the rate by a getter of its class, which a copy would not have.
    .map((level, index) => ({ level, index }))
    .filter(({ level }) => level.audioCodec === (levels[now] ?? levels[0])?.audioCodec)
    .map(({ level: { width, height, frameRate, averageBitrate }, index }) => ({
      id: String(index),
      height: width > 0 && height > 0 ? Math.min(width, height) : null,
      frameRate: frameRate > 0 ? frameRate : null,
      bitRate: averageBitrate,
    }))
    .toSorted((a, b) => (b.height ?? 0) - (a.height ?? 0) || b.bitRate - a.bitRate);

/** What was chosen before, as near as this video has it and not larger. Null: by itself. */
export const qualityFor = (qualities: readonly Quality[], chosen: string | null): string | null => {
  const wanted = Number(chosen);
  if (chosen === null || qualities.length < 2 || !(wanted > 0)) return null;
  return (qualities.find(({ height }) => height !== null && height <= wanted) ?? qualities.findLast(({ height }) => height !== null))?.id ?? null;
};

/** 30 is what nobody needs to be told. */
const usualRate = 40;

/** 720p, 1080p60; null: sound alone. */
export const sizeName = ({ height, frameRate }: Quality): string | null =>
  height === null ? null : `${height}p${frameRate !== null && frameRate > usualRate ? Math.round(frameRate) : ''}`;
