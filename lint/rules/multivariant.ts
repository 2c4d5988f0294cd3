/** What a multivariant playlist must be (HLS 4.4.6), and what it must say of media that has been seen. */
import { fault, type Fault } from '../finding.ts';
import { isYes, numberOf, textOf, type Attributes } from '../read/attributes.ts';
import type { Init } from '../read/init.ts';
import type { MultivariantPlaylist, Rendition, Variant } from '../read/playlist.ts';

const groupAttributes = { AUDIO: 'AUDIO', VIDEO: 'VIDEO', SUBTITLES: 'SUBTITLES', 'CLOSED-CAPTIONS': 'CLOSED-CAPTIONS' } as const;
const videoCodec = /^(?:avc[13]|hvc1|hev1|dvh1|dvhe|vp09|vp08|av01)\b/;

export const codecsOf = (attributes: Attributes): string[] => (textOf(attributes, 'CODECS') ?? '').split(',').map((one) => one.trim()).filter((one) => one !== '');

export function* multivariantAlone(list: MultivariantPlaylist): Generator<Fault> {
  yield* list.faults;
  for (const variant of list.variants) yield* oneVariant(variant, list.renditions);
  for (const stream of list.iframes) {
    if (numberOf(stream.attributes, 'BANDWIDTH') === null || codecsOf(stream.attributes).length === 0) yield fault('multi/iframes', `${stream.uri} has no BANDWIDTH or no CODECS`);
  }
  yield* renditions(list.renditions);
  const none = list.variants.filter(({ attributes }) => textOf(attributes, 'CLOSED-CAPTIONS') === 'NONE').length;
  if (none > 0 && none < list.variants.length) yield fault('multi/captions', `CLOSED-CAPTIONS=NONE stands at ${none} of ${list.variants.length} variants`);
  const needs = list.renditions.some(({ attributes }) => (textOf(attributes, 'INSTREAM-ID') ?? '').startsWith('SERVICE')) ? 7 : 1;
  if ((list.version ?? 1) < needs) yield fault('hls/version', `VERSION is ${list.version ?? 'not there'}, and ${needs} is needed`);
}

function* oneVariant({ uri, attributes }: Variant, all: readonly Rendition[]): Generator<Fault> {
  const bandwidth = numberOf(attributes, 'BANDWIDTH');
  const average = numberOf(attributes, 'AVERAGE-BANDWIDTH');
  const codecs = codecsOf(attributes);
  if (bandwidth === null || bandwidth <= 0) yield fault('multi/bandwidth', `${uri} has no BANDWIDTH`);
  else if (average !== null && average > bandwidth) yield fault('multi/average', `${uri} has an AVERAGE-BANDWIDTH of ${average} and a BANDWIDTH of ${bandwidth}`);
  if (codecs.length === 0) yield fault('multi/codecs', `${uri} has no CODECS`);
  if (codecs.some((one) => videoCodec.test(one))) {
    if (!/^[1-9]\d{0,5}x[1-9]\d{0,5}$/.test(textOf(attributes, 'RESOLUTION') ?? '')) yield fault('multi/resolution', `${uri} has pictures and no RESOLUTION`);
    if ((numberOf(attributes, 'FRAME-RATE') ?? 0) <= 0) yield fault('multi/frame-rate', `${uri} has pictures and no FRAME-RATE`);
  }
  const range = textOf(attributes, 'VIDEO-RANGE');
  if (range !== null && !['SDR', 'HLG', 'PQ'].includes(range)) yield fault('multi/video-range', `${uri} has a VIDEO-RANGE of ${range.slice(0, 20)}`);
  for (const [name, type] of Object.entries(groupAttributes)) {
    const group = textOf(attributes, name);
    if (group === null || (name === 'CLOSED-CAPTIONS' && group === 'NONE')) continue;
    if (!all.some((one) => one.type === type && one.group === group)) yield fault('multi/group', `${uri} names the group ${name}="${group.slice(0, 60)}", which is not there`);
  }
}

function* renditions(all: readonly Rendition[]): Generator<Fault> {
  const names = new Set<string>();
  const defaults = new Set<string>();
  for (const { type, group, name, uri, attributes } of all) {
    const key = `${type} ${group}`;
    if (names.has(`${key} ${name}`)) yield fault('multi/name', `two renditions of ${key} have the name "${name.slice(0, 60)}"`);
    names.add(`${key} ${name}`);
    if (isYes(attributes, 'DEFAULT')) {
      if (defaults.has(key)) yield fault('multi/default', `${key} has two defaults`);
      if (textOf(attributes, 'AUTOSELECT') === 'NO') yield fault('multi/default', `the default of ${key} is not AUTOSELECT`);
      defaults.add(key);
    }
    const instream = textOf(attributes, 'INSTREAM-ID');
    if (type === 'SUBTITLES' && uri === null) yield fault('multi/media-uri', `the subtitles "${name.slice(0, 60)}" have no address`);
    if (type === 'CLOSED-CAPTIONS' && (uri !== null || !/^(?:CC[1-4]|SERVICE(?:[1-9]|[1-5]\d|6[0-3]))$/.test(instream ?? ''))) {
      yield fault('multi/media-uri', `the closed captions "${name.slice(0, 60)}" have ${uri === null ? `an INSTREAM-ID of ${instream}` : 'an address'}`);
    }
  }
}

/** Everything that the playlist has said of a variant so far: it is written anew when parameters change, and players keep what they read. */
export type Said = { readonly codecs: ReadonlySet<string>; readonly resolutions: ReadonlySet<string> };

const family = (codec: string): string => codec.split('.')[0] ?? codec;

/** `newest`: nothing is behind it; of what lies before a change only the family of the codec is still told. */
export function* initAgainstVariant(init: Init, said: Said, newest: boolean): Generator<Fault> {
  const codecs = [...said.codecs];
  if (init.codec !== null && codecs.length > 0) {
    const { codec } = init;
    const listed = newest ? codecs.some((one) => one.toLowerCase() === codec.toLowerCase()) : codecs.some((one) => family(one) === family(codec));
    if (!listed) yield fault('multi/codecs-init', `the init segment is ${codec}, CODECS are ${codecs.join(', ')}`);
  }
  if (!newest || init.width === null || init.height === null || said.resolutions.size === 0) return;
  const size = `${init.width}x${init.height}`;
  if (!said.resolutions.has(size)) yield fault('multi/resolution', `the init segment is ${size}, RESOLUTION is ${[...said.resolutions].join(', ')}`);
}

/** Bits a second of what has been seen; `seconds`: of how much. */
export type Measured = { readonly ended: boolean; readonly peak: number; readonly average: number; readonly seconds: number; readonly frameRate: number | null };

const enough = 8;
const liveSlack = 1.5;

export function* measuredAgainstVariant(name: string, attributes: Attributes, measured: Measured): Generator<Fault> {
  const bandwidth = numberOf(attributes, 'BANDWIDTH');
  const average = numberOf(attributes, 'AVERAGE-BANDWIDTH');
  // Section 4.4.6.2 wants the exact peak when all is known (a tenth of a percent is rounding), and a good guess before.
  if (bandwidth !== null && measured.ended && measured.peak > bandwidth * 1.001) yield fault('multi/bandwidth', `${name}: the peak is ${Math.round(measured.peak)} bit/s, BANDWIDTH ${bandwidth}`);
  if (bandwidth !== null && !measured.ended && (measured.peak > bandwidth * liveSlack || (measured.seconds >= enough && measured.average > bandwidth))) {
    yield fault('multi/bandwidth-live', `${name}: the peak is ${Math.round(measured.peak)} bit/s and the average ${Math.round(measured.average)}, BANDWIDTH ${bandwidth}`);
  }
  if (average !== null && measured.seconds >= enough && (measured.average > average * 1.5 || measured.average < average / 20)) {
    yield fault('multi/average-measured', `${name}: the media has ${Math.round(measured.average)} bit/s, AVERAGE-BANDWIDTH is ${average}`);
  }
  const rate = numberOf(attributes, 'FRAME-RATE');
  if (rate !== null && measured.frameRate !== null && measured.seconds >= enough && Math.abs(measured.frameRate - rate) > 0.1 * rate) {
    yield fault('multi/frame-rate', `${name}: the media has ${measured.frameRate.toFixed(2)} pictures a second, FRAME-RATE is ${rate}`);
  }
}
