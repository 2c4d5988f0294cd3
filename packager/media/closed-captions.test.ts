import t from 'tap';
import { captionSei, dtvcc, rollUp, silence, type Triplet } from '../../test/support/line21.ts';
import { Random } from '../../test/support/random.ts';
import { FakeClock } from '../clock.ts';
import { multivariantPlaylist } from '../hls/multivariant.ts';
import { manifest } from '../dash/mpd.ts';
import { audioConfig, units, videoConfig } from '../live/pretend-sender.ts';
import { LiveRun } from '../live/run.ts';
import { Show } from '../live/show.ts';
import { MemoryLog } from '../log/memory-log.ts';
import { closedCaptionsIn } from './closed-captions.ts';
import { rtmpClock } from './unit.ts';

const slice = Buffer.from('0000000341ffff', 'hex');
const picture = (...triplets: readonly Triplet[]): Buffer => Buffer.concat([captionSei(triplets), slice]);
const field = (number: number, text: string, code: number): Buffer[] => rollUp(text, code).map(([first, second]) => picture([number, first, second]));

t.test('channels are told apart by field and by their control codes', async (t) => {
  t.same(closedCaptionsIn([slice]), []);
  t.same(closedCaptionsIn([picture(silence)]), ['CC1'], 'a silent field 1 is meant for captions');
  t.same(closedCaptionsIn([picture([1, 0x80, 0x80])]), [], 'a silent field 2 is not');
  t.same(closedCaptionsIn(field(0, 'hello', 0x14)), ['CC1']);
  t.same(closedCaptionsIn(field(0, 'hello', 0x1c)), ['CC1', 'CC2']);
  t.same(closedCaptionsIn([...field(1, 'x', 0x15), ...field(1, 'y', 0x1d)]), ['CC3', 'CC4']);
  t.same(closedCaptionsIn([picture([0, 0x14, 0x25])]), [], 'a byte without its parity is noise');
});

t.test('services are told by the blocks of their packets, wherever a picture ends', async (t) => {
  const one = dtvcc(1, 'hello');
  t.same(closedCaptionsIn(one.map((triplet) => picture(triplet))), ['SERVICE1']);
  t.same(closedCaptionsIn([picture(...one, ...dtvcc(3, 'x'), ...dtvcc(12, 'extended'))]), ['SERVICE1', 'SERVICE3', 'SERVICE12']);
  t.same(closedCaptionsIn([picture(...one.slice(0, -1))]), [], 'half a packet says nothing');
});

t.test('what is damaged is nothing', async (t) => {
  const random = new Random(2);
  const good = picture(silence, ...dtvcc(2, 'abc'));
  for (let round = 0; round < 20_000; round += 1) {
    const spoilt = Buffer.from(good.subarray(0, random.below(4) > 0 ? good.length : random.below(good.length)));
    for (let count = random.below(4); count > 0 && spoilt.length > 0; count -= 1) spoilt[random.below(spoilt.length)] = random.below(256);
    const found = closedCaptionsIn([spoilt, good]);
    if (!found.every((name) => /^(CC[1-4]|SERVICE\d+)$/.test(name))) t.fail(found.join(' '));
  }
  t.pass();
});

t.test('what the gate sees is declared in HLS and DASH, for good', async (t) => {
  const clock = new FakeClock();
  const fault = (error: unknown): never => {
    throw error;
  };
  const show = new Show({
    ...{ clock, wish: { latency: 'low', dvrSeconds: 0, captions: [] }, fault },
    open: async (shape) => new LiveRun({ facts: { video: 'video', run: 'firstrun', ...shape }, logs: new Map(shape.tracks.map(({ id }) => [id, new MemoryLog()])), clock, onFault: fault }),
  });
  show.begin(rtmpClock);
  show.track(videoConfig);
  show.track(audioConfig());
  for (const unit of units(6000)) {
    const sei = captionSei([silence, ...dtvcc(1, 'x')]);
    show.write(unit.kind === 'video' ? { ...unit, data: Buffer.concat([sei, unit.data]) } : unit);
  }
  await show.pause();
  const snapshot = show.run?.snapshot() ?? fault(new Error('the gate never opened'));
  t.same(snapshot.policy.closedCaptions, ['CC1', 'SERVICE1']);
  const master = multivariantPlaylist(snapshot);
  t.match(master, '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1",DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID="CC1"\n');
  t.match(master, 'INSTREAM-ID="SERVICE1"\n');
  t.match(master, /STREAM-INF.*,CLOSED-CAPTIONS="cc"\nv0/);
  const mpd = manifest(snapshot) ?? '';
  t.match(mpd, '<Accessibility schemeIdUri="urn:scte:dash:cc:cea-608:2015" value="CC1=und"/>');
  t.match(mpd, '<Accessibility schemeIdUri="urn:scte:dash:cc:cea-708:2015" value="1=lang:und"/>');
});
