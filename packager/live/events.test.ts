/** Timed metadata through a show: where it lies in the log, what the snapshot says, and what a log says that is opened again. */
import { createFile, MP4BoxBuffer } from 'mp4box';
import t from 'tap';
import { fuzz } from '../../test/support/random.ts';
import { FakeClock } from '../clock.ts';
import { CmafError } from '../cmaf/cmaf-error.ts';
import { emsgBox, emsgScheme, fragmentLead } from '../cmaf/emsg.ts';
import { readFragments } from '../cmaf/reader.ts';
import { readTsSegment, tsSegmentPlan } from '../hls/ts-segment.ts';
import { MemoryLog } from '../log/memory-log.ts';
import { largestEvent, type WireEvent } from '../media/event.ts';
import { isId3, textTag } from '../media/id3.ts';
import { rtmpClock } from '../media/unit.ts';
import { readHead } from '../progressive/fragment-head.ts';
import { RunEvents, storedEvents, type PlacedEvent } from './events.ts';
import { audioConfig, units, videoConfig } from './pretend-sender.ts';
import { recordingSnapshot } from './recording.ts';
import { LiveRun, type RunFacts } from './run.ts';
import { Show } from './show.ts';

const splice = Buffer.from('/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=', 'base64');
const id3 = (pts: number | null, text = 'hello'): WireEvent => ({ scheme: 'id3', pts, duration: null, data: textTag('onTextData', text) });

const fault = (error: unknown): never => {
  throw error;
};
type Stage = { readonly show: Show; readonly logs: Map<string, MemoryLog>; facts: RunFacts | null; readonly clock: FakeClock };
const stage = (): Stage => {
  const clock = new FakeClock();
  const made: Stage = {
    clock,
    logs: new Map(),
    facts: null,
    show: new Show({
      ...{ clock, wish: { latency: 'low', dvrSeconds: 0, captions: [] }, fault },
      open: async (shape) => {
        made.facts = { video: 'video', run: 'firstrun', ...shape };
        for (const { id } of shape.tracks) made.logs.set(id, new MemoryLog());
        return new LiveRun({ facts: made.facts, logs: made.logs, clock, onFault: fault });
      },
    }),
  };
  return made;
};

const shift = 5_000_000;
/** Ten seconds of a show, and events at their times. */
const played = async (events: readonly { readonly at: number; readonly event: WireEvent }[], only?: 'audio'): Promise<Stage> => {
  const made = stage();
  made.show.begin(rtmpClock);
  for (const config of only ? [audioConfig()] : [videoConfig, audioConfig()]) made.show.track(config);
  const left = [...events];
  for (const unit of units(10_000, { shift, ...(only && { only }) })) {
    while (left[0] && unit.dts >= left[0].at + shift) {
      const next = left.shift();
      if (next) made.show.event(next.event);
    }
    made.show.write(unit);
  }
  await made.show.pause();
  return made;
};
const factsOf = ({ facts }: Stage): RunFacts => facts ?? fault(new Error('the gate never opened'));
const runOf = ({ show }: Stage): LiveRun => show.run ?? fault(new Error('the gate never opened'));
const logOf = ({ logs }: Stage, id: string): MemoryLog => logs.get(id) ?? fault(new Error(`no log ${id}`));

/** All bytes of a track's log, fragment by fragment. */
const fragments = (log: MemoryLog): Promise<Buffer[]> => log.read(0, log.snapshot().end);

t.test('an event lies once, ahead of the moof of the fragment that was being cut, at its media time', async (t) => {
  const made = await played([
    { at: 1000, event: id3(shift + 900) }, // while the gate is still closed
    { at: 6000, event: id3(null, 'now') },
    { at: 7000, event: { scheme: 'scte35', pts: shift + 9000, duration: 30_000, data: splice } },
  ]);
  const snapshot = runOf(made).snapshot();
  t.match(snapshot.events, [
    { id: '1', scheme: 'id3', micros: 900_000, durationMicros: null, epoch: 0 },
    { id: '2', scheme: 'id3', epoch: 0 },
    { id: '3', scheme: 'scte35', micros: 9_000_000, durationMicros: 30_000_000, data: splice },
  ]);
  t.ok(Math.abs((snapshot.events[1]?.micros ?? 0) - 6_000_000) < 100_000, 'now is where the pictures are');
  const video = await fragments(logOf(made, 'v0'));
  const carrying = video.map((bytes, seq) => ({ seq, lead: fragmentLead(bytes) })).filter(({ lead }) => (lead?.events.length ?? 0) > 0);
  t.equal(carrying.flatMap(({ lead }) => lead?.events ?? []).length, 3);
  const { entry, end } = logOf(made, 'v0').snapshot();
  t.same(carrying.map(({ seq }) => seq), Array.from({ length: end }, (_, seq) => seq).filter((seq) => entry(seq).events), 'the index names these and no others');
  for (const { msn } of snapshot.events) t.ok(snapshot.tracks[0]?.segments.some((segment) => segment.msn === msn));
  t.ok((await fragments(logOf(made, 'a0'))).every((bytes) => fragmentLead(bytes)?.moof === 0), 'sound carries none beside pictures');
  for (const bytes of video) {
    const [facts] = readFragments(bytes);
    const head = readHead(bytes.subarray(0, (facts?.offset ?? 0) + (facts?.moofSize ?? 0)), bytes.length, () => undefined);
    t.match(head, { time: facts?.baseDecodeTime, from: facts?.samples[0]?.offset });
  }
});

t.test('mp4box reads the same events', async (t) => {
  const made = await played([{ at: 5000, event: { scheme: 'scte35', pts: shift + 6000, duration: null, data: splice } }]);
  const file = createFile();
  const bytes = Buffer.concat(await fragments(logOf(made, 'v0')));
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(new Uint8Array(bytes).buffer, 0), true);
  const found = file.boxes.filter(({ type }) => type === 'emsg') as unknown as { scheme_id_uri: string; presentation_time: number; timescale: number; id: number; message_data: Uint8Array }[];
  t.match(found, [{ scheme_id_uri: emsgScheme.scte35, presentation_time: 540_000, timescale: 90_000, id: 1 }]);
  t.same(Buffer.from(found[0]?.message_data ?? []), splice);
});

t.test('a show of sound alone carries them in its sound', async (t) => {
  const made = await played([{ at: 5000, event: id3(shift + 5000) }], 'audio');
  t.match(runOf(made).snapshot().events, [{ micros: 5_000_000 }]);
  t.equal((await fragments(logOf(made, 'a0'))).filter((bytes) => fragmentLead(bytes)?.events.length === 1).length, 1);
});

t.test('logs that are opened again tell the same events, and numbers go on', async (t) => {
  const made = await played([{ at: 4000, event: id3(shift + 4000, 'a') }, { at: 8000, event: id3(shift + 8500, 'b') }]);
  const before = runOf(made).snapshot().events;
  t.equal(before.length, 2);
  const recorded = await recordingSnapshot(factsOf(made), made.logs);
  t.same(recorded?.events, before);
  const logs = new Map([...made.logs].map(([id, log]) => [id, log.reopen()]));
  const run = new LiveRun({ facts: factsOf(made), names: 'secondrun', logs, clock: made.clock, onFault: fault });
  await run.recallEvents();
  t.same(run.snapshot().events, before);
  const show = new Show({ clock: made.clock, wish: { latency: 'low', dvrSeconds: 0, captions: [] }, fault, run, open: () => fault(new Error('opened twice')) });
  show.begin(rtmpClock);
  show.track(videoConfig);
  show.track(audioConfig());
  for (const unit of units(3000)) show.write(unit);
  show.event(id3(null, 'c'));
  await show.pause();
  t.match(run.snapshot().events.map(({ id, epoch }) => ({ id, epoch })), [{ id: '1', epoch: 0 }, { id: '2', epoch: 0 }, { id: '3', epoch: 1 }]);
});

t.test('what is damaged, foreign or from another time is no event, and is counted', async (t) => {
  const made = await played([
    { at: 3000, event: { scheme: 'scte35', pts: null, duration: null, data: Buffer.from('nonsense') } },
    { at: 3000, event: { scheme: 'id3', pts: null, duration: null, data: Buffer.from('ID3 and more nonsense') } },
    { at: 3000, event: { scheme: 'id3', pts: null, duration: null, data: textTag('x', 'y'.repeat(largestEvent)) } },
    { at: 3000, event: id3(shift + 3_000_000) },
  ]);
  t.same(runOf(made).snapshot().events, []);
  t.equal(made.show.droppedEvents, 4);
});

t.test('a flood is thinned out and costs its sender nothing else', async (t) => {
  const made = await played(Array.from({ length: 2000 }, (_, index) => ({ at: 4000, event: id3(null, String(index)) })));
  t.equal(runOf(made).snapshot().events.length, 50);
  t.equal(made.show.droppedEvents, 1950);
  t.ok((runOf(made).snapshot().tracks[0]?.segments.length ?? 0) > 3);
});

t.test('whoever talks on while the pictures stand still fills no memory', async (t) => {
  const event = (bytes: number): PlacedEvent => ({ scheme: 'id3', micros: 0, durationMicros: null, data: Buffer.alloc(bytes) });
  for (const [bytes, taken] of [[10, 256], [largestEvent, 16]] as const) {
    const events = new RunEvents();
    t.equal(Array.from({ length: 1000 }, () => events.announce(event(bytes))).filter(Boolean).length, taken);
    t.equal(events.take(1000)?.boxes.length, taken);
    t.ok(events.announce(event(bytes)), 'with the next fragment there is room again');
  }
});

t.test('a segment of a transport stream is made of fragments with events', async (t) => {
  const made = await played([{ at: 5000, event: id3(shift + 5000) }]);
  const snapshot = runOf(made).snapshot();
  const plan = tsSegmentPlan(snapshot, 'v0', snapshot.events[0]?.msn ?? 0);
  if (plan.kind !== 'media') return t.fail(plan.kind);
  const bytes = await readTsSegment(plan, (track) => logOf(made, track));
  t.equal(bytes.length % 188, 0);
});

t.test('heads are read where the log gives them, and whole fragments where those are too short', async (t) => {
  const box = emsgBox({ scheme: emsgScheme.id3, timescale: 1000, time: 5, duration: null, id: 7, data: textTag('a', 'b'.repeat(20_000)) });
  const whole = Buffer.concat([box, Buffer.from([0, 0, 0, 8]), Buffer.from('moof')]);
  const asked: string[] = [];
  const log = {
    readHeads: async (_from: number, _to: number, bytes: number) => (asked.push('head'), [whole.subarray(0, bytes)]),
    readChecked: async () => (asked.push('whole'), [whole]),
  };
  t.match(await storedEvents(log, [{ seq: 0, msn: 4, epoch: 2 }]), [{ id: '7', msn: 4, epoch: 2, micros: 5000 }]);
  t.same(asked, ['head', 'whole']);
});

t.test('whatever lies ahead of a moof is read or refused with a code', async (t) => {
  const good = emsgBox({ scheme: emsgScheme.scte35, timescale: 90_000, time: 2 ** 40, duration: 5, id: 1, data: splice });
  t.match(fragmentLead(Buffer.concat([good, good, Buffer.from([0, 0, 0, 8]), Buffer.from('moof')])), { events: [{ time: 2 ** 40, duration: 5, data: splice }, { id: 1 }], moof: 2 * good.length });
  const { accepted, refused } = fuzz((input) => fragmentLead(input), CmafError, [good], { count: 40_000, seed: 4 });
  t.ok(accepted > 200 && refused > 5000, `${accepted} accepted, ${refused} refused`);
  t.ok(isId3(textTag('', '')));
});
