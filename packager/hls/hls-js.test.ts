/**
 * hls.js merges delta updates into what it holds, and goes on from the result: the full playlist must be what
 * it arrives at. Its parser is public; its merging is not, so it is exported from a copy of the package's file.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { mediaPlaylist } from './media.ts';
import { PretendStream } from './pretend-stream.ts';

type Fragment = {
  sn: number;
  cc: number;
  relurl?: string;
  duration: number;
  initSegment: { relurl: string } | null;
  programDateTime: number | null;
};
type Details = {
  fragments: Fragment[];
  fragmentHint?: Fragment;
  partList: { relurl: string }[] | null;
  skippedSegments: number;
  deltaUpdateFailed?: boolean;
  playlistParsingError: Error | null;
};
type HlsJs = {
  M3U8Parser: { parseLevelPlaylist(text: string, url: string, id: number, type: string, urlId: number, variables: null): Details };
  mergeDetails(before: Details, delta: Details, logger: Record<string, () => void>): void;
};

const loadHlsJs = async (folder: string): Promise<HlsJs> => {
  const copy = join(folder, 'hls.mjs');
  // Written for browsers: it looks for its globals in `self`.
  Object.assign(globalThis, { self: globalThis });
  return (await import(pathToFileURL(copy).href)) as HlsJs;
};

const tell = (one: Fragment): string =>
  [one.sn, one.cc, one.relurl, one.duration.toFixed(5), one.initSegment?.relurl, one.programDateTime].join(' ');

t.test('hls.js arrives at the full playlist by deltas alone, through outages and a sliding window', async (t) => {
  const source = readFileSync(new URL('../../node_modules/hls.js/dist/hls.mjs', import.meta.url), 'utf8');
  const { M3U8Parser, mergeDetails } = await loadHlsJs(t.testdir({ 'hls.mjs': `${source}\nexport { mergeDetails };\n` }));
  const parse = (text: string): Details => {
    const details = M3U8Parser.parseLevelPlaylist(text, 'http://x/play/-/video-00000001/v0/index.m3u8', 0, 'main', 0, null);
    if (details.playlistParsingError) throw details.playlistParsingError;
    return details;
  };
  const logger = { log() {}, warn() {}, error() {}, debug() {}, info() {}, trace() {} };
  let state = 5;
  const random = (below: number): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) % below;

  let skipped = 0;
  for (let round = 0; round < 20; round++) {
    const stream = new PretendStream().segments(8);
    let held = parse(mediaPlaylist(stream.snapshot(), 'v0'));
    for (let step = 0; step < 50; step++) {
      const open = stream.snapshot().tracks[0]?.open?.count ?? 0;
      const what = random(12);
      if (open >= 6 || what === 0) stream.close();
      else if (what === 1) stream.part(0.3).close().epoch();
      else if (what < 4) stream.keep(8 + random(10));
      else if (what < 8) stream.segment(6 - open);
      else stream.part();

      const delta = parse(mediaPlaylist(stream.snapshot(), 'v0', { skip: true }));
      const full = parse(mediaPlaylist(stream.snapshot(), 'v0'));
      if (delta.skippedSegments > 0) skipped++;
      mergeDetails(held, delta, logger);
      const same =
        !delta.deltaUpdateFailed &&
        delta.fragments.map(tell).join('\n') === full.fragments.map(tell).join('\n') &&
        delta.fragmentHint?.cc === full.fragmentHint?.cc &&
        delta.partList?.at(-1)?.relurl === full.partList?.at(-1)?.relurl;
      if (!same) t.same(delta.fragments.map(tell), full.fragments.map(tell), `round ${round}, step ${step}`);
      if (!same) return t.fail('the merged playlist is not the full one');
      held = delta;
    }
  }
  t.ok(skipped > 500, `${skipped} deltas that skipped something`);
});
