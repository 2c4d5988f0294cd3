/**
 * How much later the parts of a live source can be had while uploads are encoded in every slot of the machine.
 *
 *     node bench/vod-beside-live.ts [SECONDS of each span, 15] [SPANS, 2] [LADDER of the channel, source] [WORKERS, 0]
 */
import { table } from '../test/support/figures.ts';
import { halfAndMost, vodBesideLive } from '../test/support/vod-beside-live.ts';

const [seconds = '15', spans = '2', ladder = 'source', workers = '0'] = process.argv.slice(2);
const seen = await vodBesideLive({ spanMs: Number(seconds) * 1000, spans: Number(spans), ladder, workers: Number(workers) });
const row = (name: string, late: readonly number[]): string[] => {
  const { p50, p95 } = halfAndMost(late);
  return [name, String(late.length), `${Math.round(p50)} ms`, `${Math.round(p95)} ms`, `${Math.round(Math.max(...late))} ms`];
};
console.log(table([['source of a live channel', 'parts', 'p50', 'p95', 'worst'], row('without encodes', seen.without), row('with encodes', seen.with)]));
console.log(`chunks at once: ${seen.busy.join(' ')}`);
for (const fault of seen.faults) console.log(fault);
