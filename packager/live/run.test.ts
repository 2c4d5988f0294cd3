import t from 'tap';
import { FakeClock } from '../clock.ts';
import { mediaPlaylist } from '../hls/media.ts';
import { runOf } from '../hls/window.ts';
import { MemoryLog } from '../log/memory-log.ts';
import { rtmpClock } from '../media/unit.ts';
import { initName, partName } from '../names.ts';
import { broken } from './laws.ts';
import { audioConfig, otherVideoConfig, units, videoConfig, type Rhythm } from './pretend-sender.ts';
import { LiveRun, type RunFacts } from './run.ts';
import { Show } from './show.ts';

type Logs = Map<string, MemoryLog>;
type Stage = { readonly show: Show; readonly logs: Logs; facts: RunFacts | null };

const fault = (error: unknown): never => {
  throw error;
};
const stage = (earlier?: { readonly facts: RunFacts; readonly logs: Logs; readonly names: string }, rename?: () => string): Stage => {
  const clock = new FakeClock();
  const made: Stage = {
    logs: earlier?.logs ?? new Map(),
    facts: earlier?.facts ?? null,
    show: new Show({
      clock,
      wish: { latency: 'low', dvrSeconds: 0, captions: [] },
      fault,
      ...(earlier && { run: new LiveRun({ ...earlier, clock, onFault: fault }) }),
      open: async (shape) => {
        made.facts = { video: 'video', run: 'firstrun', ...shape };
        for (const { id } of shape.tracks) made.logs.set(id, new MemoryLog());
        return new LiveRun({ facts: made.facts, logs: made.logs, clock, onFault: fault, ...(rename && { rename }) });
      },
    }),
  };
  return made;
};
const runOfShow = ({ show }: Stage): LiveRun => show.run ?? fault(new Error('the gate never opened'));

const send = ({ show }: Stage, ms: number, rhythm: Rhythm = {}, configs = [videoConfig, audioConfig()]): void => {
  show.begin(rtmpClock);
  for (const config of configs) show.track(config);
  for (const unit of units(ms, rhythm)) show.write(unit);
};

/** What a power cut leaves of a log. */
const cutShort = async (log: MemoryLog, share: number): Promise<MemoryLog> => {
  const { end, epochs, entry } = log.snapshot();
  const left = new MemoryLog();
  for (let seq = 0; seq < end * share; seq += 1) {
    const facts = entry(seq);
    const epoch = epochs.find((known) => known.epoch === facts.epoch);
    if (epoch && left.snapshot().epochs.at(-1)?.epoch !== epoch.epoch) await left.beginEpoch(epoch);
    await left.append(facts, await log.read(seq, seq + 1));
  }
  return left;
};

/** Every file that players are told of, with its bytes. */
const files = async (run: LiveRun): Promise<Map<string, string>> => {
  const all = new Map<string, string>();
  const snapshot = run.snapshot();
  for (const track of snapshot.tracks) {
    for (const { epoch, init } of track.epochs) all.set(`${track.id} ${initName(runOf(snapshot, epoch), epoch)}`, init.toString('hex'));
    for (const segment of [...track.segments, ...(track.open ? [track.open] : [])]) {
      for (const [index, { seq }] of segment.parts.entries()) {
        const bytes = await run.reader(track.id)?.read(seq, seq + 1);
        all.set(`${track.id} ${partName(runOf(snapshot, segment.epoch), segment.msn, index)}`, Buffer.concat(bytes ?? []).toString('hex'));
      }
    }
  }
  return all;
};

t.test('what a power cut took from the disk is in caches still: no name ever stands for other bytes', async (t) => {
  const first = stage();
  send(first, 9_000);
  await first.show.pause();
  send(first, 6_000, { shift: 20_000, fps: 25, gop: 50 });
  await first.show.room();
  await runOfShow(first).settled();
  const told = await files(runOfShow(first));

  const logs: Logs = new Map();
  for (const [id, log] of first.logs) logs.set(id, await cutShort(log, 0.5));
  if (!first.facts) return t.fail('the gate never opened');
  const second = stage({ facts: first.facts, logs, names: 'secondrun' });
  const run = runOfShow(second);
  await run.alignTracks();
  t.match(mediaPlaylist(run.snapshot(), 'v0'), /PRELOAD-HINT:TYPE=PART,URI="secondrun-\d+-0\.m4s"/, 'what comes next has a new name');
  send(second, 9_000, { shift: 40_000, gop: 30 });
  await second.show.finish();
  let same = 0;
  for (const [name, bytes] of await files(run)) {
    const before = told.get(name);
    if (before === undefined) continue;
    t.equal(bytes, before, name);
    same += 1;
  }
  t.ok(same > 20, 'and what is still there keeps its name');
  t.same(broken(run.snapshot(), { shortParts: true }).filter((found) => !/apart|starts at|below|EXTINF/.test(found)), []);

  // And once more: a third start still knows each by its name.
  const third = new LiveRun({ facts: first.facts, names: 'thirdrun1', logs, clock: new FakeClock(), onFault: fault });
  t.same([...(await files(third)).keys()].sort(), [...(await files(run)).keys()].sort());
});

t.test('what was hinted at never comes for another decoder: where the configuration changes, so do the names', async (t) => {
  const first = stage(undefined, (() => { let names = 0; return () => `renamed-${(names += 1)}`; })());
  const hint = (): string | undefined => /PRELOAD-HINT:TYPE=PART,URI="([\w-]+)-\d+-\d+\.m4s"/.exec(mediaPlaylist(runOfShow(first).snapshot(), 'v0'))?.[1];
  send(first, 9_000);
  await first.show.room();
  await runOfShow(first).settled();
  t.equal(hint(), 'firstrun');
  await first.show.pause();
  send(first, 6_000, { shift: 20_000 });
  await first.show.room();
  await runOfShow(first).settled();
  t.equal(hint(), 'firstrun', 'who comes back as he was goes on under the same names');
  await first.show.pause();
  send(first, 6_000, { shift: 40_000 }, [otherVideoConfig, audioConfig()]);
  await first.show.room();
  await runOfShow(first).settled();
  t.equal(hint(), 'renamed-1');
  t.same(runOfShow(first).snapshot().epochs.map(({ run }) => run), ['firstrun', 'firstrun', 'renamed-1']);
});

t.test('after a restart, a publisher that comes back without sound is heard as silence', async (t) => {
  const first = stage();
  send(first, 5_000);
  await first.show.pause();
  if (!first.facts) return t.fail('the gate never opened');
  const second = stage({ facts: first.facts, logs: first.logs, names: 'secondrun' });
  send(second, 8_000, { only: 'video' }, [videoConfig]);
  await runOfShow(second).settled();
  const [pictures, sound] = runOfShow(second).snapshot().tracks;
  t.ok((pictures?.endSegment ?? 0) - (sound?.endSegment ?? 0) <= 1, 'sound goes on beside its pictures');
  await second.show.finish();
  t.same(broken(runOfShow(second).snapshot(), { shortParts: true }), []);
});
