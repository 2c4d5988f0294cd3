/** An awkward file in a whole server: sent, waited for, and held against its original as whoever watches it gets it. */
import type { Test } from 'tap';
import { readFragments } from '../../packager/cmaf/reader.ts';
import type { Awkward } from './awkward.ts';
import { decodeErrors } from './encoded.ts';
import { furthestApart, heardClicks, shownPictures } from './exact.ts';
import { fetchText } from './blocking-reload.ts';
import type { MillraceServer } from './server.ts';
import { untilState, uploadFile } from './upload.ts';

export type Played = { readonly id: string; readonly hls: string; readonly dash: string };

/** Media playlists of a multivariant one: the pictures, and the sounds. */
const listsOf = (text: string, base: string): { readonly pictures: string[]; readonly sounds: string[] } => {
  const absolute = (uri: string): string => new URL(uri, base).href;
  const sounds = [...text.matchAll(/^#EXT-X-MEDIA:TYPE=AUDIO.*URI="([^"]+)"/gm)].map(([, uri = '']) => absolute(uri));
  const variants = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map(absolute);
  const pictures = [...new Set(variants)].filter((uri) => !sounds.includes(uri));
  // Sound alone has no group: it is the variant.
  return /RESOLUTION=/.test(text) ? { pictures, sounds } : { pictures: [], sounds: pictures };
};

type Moments = { readonly times: readonly number[]; /** The most negative composition offset is the same in every segment. */ readonly even: boolean };

/** When the pictures of a playlist are shown, as its fragments say, in seconds. */
const momentsOf = async (list: string): Promise<Moments> => {
  const { text } = await fetchText(list);
  const bytes = async (name: string): Promise<Buffer> => Buffer.from(await (await fetch(new URL(name, list))).arrayBuffer());
  const init = await bytes(/#EXT-X-MAP:URI="([^"]+)"/.exec(text)?.[1] ?? '');
  const mdhd = init.indexOf('mdhd') + 4;
  const timescale = init.readUInt32BE(mdhd + (init[mdhd] === 1 ? 20 : 12));
  const times: number[] = [];
  const least = new Set<number>();
  for (const file of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
    const fragments = readFragments(await bytes(file));
    least.add(Math.min(...fragments.flatMap(({ samples }) => samples.map(({ cts }) => cts))));
    for (const { baseDecodeTime, samples } of fragments) {
      let dts = baseDecodeTime;
      for (const { duration, cts } of samples) {
        times.push((dts + cts) / timescale);
        dts += duration;
      }
    }
  }
  return { times: times.sort((a, b) => a - b), even: least.size === 1 };
};

const sinceFirst = (times: readonly number[]): number[] => times.map((time) => time - (times[0] ?? 0));

export const sendAwkward = async (server: MillraceServer, token: string, { name, file }: Awkward): Promise<Played> => {
  const { id } = await uploadFile(server, token, file, { title: name });
  const video = await untilState(server, token, id, ['ready'], 90_000);
  if (video.state !== 'ready') throw new Error(`${name}: ${video.state} ${JSON.stringify(video.error)}\n${server.log.slice(-2000)}`);
  const { hls, dash } = await server.must<{ hls: string; dash: string }>('POST', `videos/${id}/playback`, {}, token);
  return { id, hls, dash };
};

/** Every rung has every picture at its moment, every sound its clicks, and decoders complain of nothing. */
export const compare = async (t: Test, { file, pictures, sounds }: Awkward, { hls }: Played): Promise<void> => {
  const lists = listsOf((await fetchText(hls)).text, hls);
  t.equal(lists.pictures.length > 0, pictures, 'pictures');
  t.equal(lists.sounds.length, sounds, 'sounds');
  const wanted = pictures ? await shownPictures(file) : [];
  // A file may begin anywhere (MPEG-TS) or ahead of nothing (Opus): what is shown begins at the beginning, all of it moved alike.
  let moved = 0;
  for (const list of lists.pictures) {
    t.equal(await decodeErrors(['-i', list]), '', 'a decoder has nothing to complain of');
    const got = await shownPictures(list);
    t.equal(got.length, wanted.length, 'as many pictures as in the file');
    const { times, even } = await momentsOf(list);
    moved = (times[0] ?? NaN) - (wanted[0] ?? 0);
    const apart = furthestApart(sinceFirst(times), sinceFirst(wanted));
    t.ok(apart <= 0.0011, `no picture more than a millisecond from its moment: ${apart}`);
    // ffmpeg 5.1 moves a track by the most negative offset that it has seen so far: where that differs, by a picture.
    const decoded = furthestApart(sinceFirst(got), sinceFirst(wanted));
    t.ok(decoded <= (even ? 0.0011 : 0.034), `nor as ffmpeg shows it: ${decoded}`);
  }
  for (const [index, list] of lists.sounds.entries()) {
    t.equal(await decodeErrors(['-i', list]), '');
    const heard = await heardClicks(['-i', list]);
    const apart = furthestApart(heard.map((time) => time - moved), await heardClicks(['-i', file, '-map', `0:a:${index}`]));
    t.ok(apart <= 0.0011, `no sound more than a millisecond from its moment: ${apart}`);
  }
};
