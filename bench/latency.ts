/**
 * True glass-to-glass latency in each player, and how long a part takes from its last byte to the playlist that
 * names it.
 *
 *     node bench/latency.ts [seconds, 60] [words of the lines to measure]
 *     node bench/latency.ts 300              every line, as docs/performance.md has them
 *     node bench/latency.ts 30 hls.js 0.2    only lines with both words
 *
 * 1. Pictures stamped with the wall clock go through libx264 (ultrafast, zerolatency) and RTMP into a server of its
 *    own, and come out in Chromium, one player after the other. Every picture shown is read back by a canvas: its age
 *    is the latency, sender, encoder and display included.
 * 2. A sender of 10 pictures a second without sound goes through a relay that knows when the last byte went on; a
 *    player that asks for the next part all the time is answered some moments after it. There are 100 ms between
 *    two pictures, so the byte that completed the part cannot be taken for another.
 */
import { launchChromium } from '../test/support/chromium.ts';
import { fetchText, firstMediaPlaylist, nextPart } from '../test/support/blocking-reload.ts';
import { percentile, table } from '../test/support/figures.ts';
import { lookThrough, openViewing } from '../test/support/glass.ts';
import { servePlayerPages } from '../test/support/player-page.ts';
import { publishClock } from '../test/support/publisher.ts';
import { relayTo } from '../test/support/relay.ts';
import { startServer, type Channel, type MillraceServer } from '../test/support/server.ts';
import { lowLatencyViewings, type LowLatencyViewing } from '../test/support/viewings.ts';

const seconds = Number(process.argv[2] ?? 60);
const words = process.argv.slice(3);
const settleSeconds = 20;

type Line = LowLatencyViewing;

const wanted = (name: string): boolean => words.every((word) => name.includes(word));
const ms = (value: number): string => `${value.toFixed(0)} ms`;

const glassToGlass = async (server: MillraceServer, channel: Channel, line: Line): Promise<string[]> => {
  const publisher = publishClock(server.rtmpUrl(channel));
  const pages = await servePlayerPages();
  const browser = await launchChromium();
  try {
    await server.live(channel);
    const { page, complaints } = await openViewing(browser, pages, server, channel, line);
    const seen = await lookThrough(page, { settleSeconds, seconds });
    for (const { ms: length } of seen.stalls) console.log(`  ${line.name}: stall of ${ms(length)}`);
    for (const { type, details = '', fatal } of seen.errors) console.log(`  ${line.name}: ${type} ${details} ${fatal ? '(fatal)' : ''}`);
    for (const complaint of complaints) console.log(`  ${line.name}: ${complaint}`);
    return [
      line.name,
      ms(seen.p50),
      ms(seen.p95),
      ms(seen.worst),
      ms(line.goal * 1000),
      String(seen.stalls.length),
      String(seen.rates.length),
      `${seen.ages.length}/${seen.shown}`,
      ms(seen.believed),
      String(publisher.late()),
    ];
  } finally {
    await browser.close();
    await pages.close();
    const errors = await publisher.stop();
    if (errors !== '') console.log(`the sender said: ${errors}`);
  }
};

const partToPlaylist = async (server: MillraceServer, channel: Channel): Promise<void> => {
  const relay = await relayTo(server.ports.rtmp);
  const url = new URL(server.rtmpUrl(channel));
  url.port = String(relay.port);
  const publisher = publishClock(url.href, { fps: 10, gop: 20, width: 320, height: 180, kbps: 300, audio: false });
  try {
    const master = await server.live(channel);
    const media = firstMediaPlaylist((await fetchText(master)).text, master);
    let { text } = await fetchText(media);
    const waits: number[] = [];
    const endAt = performance.now() + Math.min(60, seconds) * 1000;
    while (performance.now() < endAt) {
      const { msn, part } = nextPart(text);
      const answer = await fetchText(`${media}?_HLS_msn=${msn}&_HLS_part=${part}`);
      if (answer.status !== 200) throw new Error(`the playlist was answered with ${answer.status}`);
      const after = nextPart(answer.text);
      // The first answer may have been ready before the question.
      if (after.msn !== msn || after.part !== part) waits.push(answer.answeredAt - relay.lastByteAt());
      text = answer.text;
    }
    const fine = (value: number) => `${value.toFixed(1)} ms`;
    console.log(`\nfrom the last byte of a part to the answered playlist, ${waits.length} parts`);
    console.log(
      table([
        ['p50', 'p95', 'p99', 'worst'],
        [fine(percentile(waits, 0.5)), fine(percentile(waits, 0.95)), fine(percentile(waits, 0.99)), fine(Math.max(...waits))],
      ]),
    );
  } finally {
    const errors = await publisher.stop();
    await relay.close();
    if (errors !== '') console.log(`the sender said: ${errors}`);
  }
};

const lines = lowLatencyViewings.filter(({ name }) => wanted(name));
const partLine = 'part to playlist';
const server = await startServer();
try {
  const token = await server.login();
  const rows = [['glass to glass', 'p50', 'p95', 'worst', 'goal', 'stalls', 'speeds', 'read/shown', 'it believes', 'late at the sender']];
  for (const [index, line] of lines.entries()) {
    rows.push(await glassToGlass(server, await server.createChannel(token, { name: `glass-${index}`, latency: line.latency }), line));
    console.log(table(rows.slice(-1)));
  }
  if (lines.length > 0) console.log(`\n${seconds} s each, after ${settleSeconds} s to settle\n${table(rows)}`);
  if (wanted(partLine)) await partToPlaylist(server, await server.createChannel(token, { name: 'parts', latency: 'low' }));
} finally {
  await server.stop();
}
