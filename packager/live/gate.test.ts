import t from 'tap';
import { rtmpClock } from '../media/unit.ts';
import { Gate } from './gate.ts';
import { audioConfig, picture, sound, units, videoConfig } from './pretend-sender.ts';

const configs = [videoConfig, audioConfig()].map((config) => ({ type: 'track', config, wall: 0 }) as const);
const gate = (): Gate => {
  const made = new Gate(rtmpClock);
  for (const config of configs) made.add(config, 0);
  return made;
};
/** The media time at which it opens, ms; null: never. */
const opensAt = (made: Gate, sent: ReturnType<typeof units>): number | null => {
  for (const unit of sent) {
    made.add({ type: 'unit', unit, wall: 0 }, unit.dts);
    if (made.ready()) return unit.dts;
  }
  return null;
};

t.test('it opens at the second key frame, or after four seconds without one', async (t) => {
  t.equal(opensAt(gate(), units(9_000)), 2_000);
  t.ok(Math.abs((opensAt(gate(), units(9_000, { gop: 1_000 })) ?? 0) - 4_000) < 50);
});

t.test('a track that was announced and does not come is waited for, but not for ever', async (t) => {
  t.equal(opensAt(gate(), units(9_000, { only: 'video', gop: 30 })), 2_000);
  const sounding = new Gate(rtmpClock);
  sounding.add({ type: 'track', config: audioConfig(), wall: 0 }, 0);
  t.ok(Math.abs((opensAt(sounding, units(9_000, { only: 'audio' })) ?? 0) - 2_000) < 50);
});

t.test('key frames at one time are one', async (t) => {
  const made = gate();
  t.ok((opensAt(made, units(9_000).flatMap((unit) => (unit.kind === 'video' && unit.key ? [unit, unit] : [unit]))) ?? 0) >= 2_000);
  t.equal(made.observed().gopMicros, 2_000_000);
});

t.test('what is kept while it is closed has an end: in bytes, in empty units, in configurations', async (t) => {
  const floods = [
    () => ({ type: 'unit', unit: picture(0, false, { bytes: 100_000 }), wall: 0 }) as const,
    () => ({ type: 'unit', unit: sound(0, 1), wall: 0 }) as const,
    () => ({ type: 'track', config: videoConfig, wall: 0 }) as const,
  ];
  for (const flood of floods) {
    const made = new Gate(rtmpClock);
    let kept = 0;
    for (; !made.overfull && kept < 1_000_000; kept += 1) made.add(flood(), 0);
    t.ok(kept < 300_000, `${kept} were enough`);
  }
});
