/** A show over a line that loses, doubles, delays and reorders; the short form for every day, the long one for proofs. */
import { stage } from '../../ingest/srt/test-stage.ts';
import type { SrtStatistics } from '../../ingest/srt/connection.ts';
import { lossyLine, type Weather } from './lossy-line.ts';
import { sendSrt, type Frames } from './srt-frames.ts';

export type Outcome = ReturnType<Frames['judge']> & {
  readonly end: string;
  readonly statistics: SrtStatistics;
  readonly lostOnLine: number;
  readonly stderr: string;
};

type Test = { teardown(end: () => unknown): void };

export const overBadLine = async (t: Test, frames: Frames, weather: Weather, seconds: number, passphrase: string | null = null, keyLasts = 300): Promise<Outcome> => {
  const { desk, port, server } = await stage(t, passphrase === null ? {} : { passphrase });
  const line = await lossyLine(port, weather, 7);
  t.teardown(() => line.close());
  const coming = desk.nextSink();
  // 1.2 s, in microseconds as ffmpeg counts them; keys that last 300 packets are changed several times.
  const secret = passphrase === null ? '' : `&passphrase=${passphrase}&pbkeylen=32&kmrefreshrate=${keyLasts}&kmpreannounce=${Math.floor(0.3 * keyLasts)}`;
  const sender = sendSrt(frames.file, `srt://127.0.0.1:${line.port}?streamid=good-key&latency=1200000${secret}`);
  t.teardown(() => sender.kill('SIGKILL'));
  const sink = await Promise.race([coming, sender.done.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  // Looked at while it runs: what is under way when a sender hangs up is not sent again.
  const [session] = server.facts();
  const statistics = session?.statistics;
  if (!statistics) throw new Error('the session has ended');
  const seen = frames.judge(sink.units);
  sender.kill('SIGINT');
  const end = await sink.ended;
  const { stderr } = await sender.done;
  return { ...seen, end, statistics, lostOnLine: line.counts.lost, stderr };
};
