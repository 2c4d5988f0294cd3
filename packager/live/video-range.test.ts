import t from 'tap';
import { BitWriter } from '../media/bits.ts';
import { encodeAvcConfig } from '../media/h264.ts';
import { videoEpoch } from './epoch-tracks.ts';
import { trackEpochs } from './stored-epochs.ts';

/** A baseline SPS of 16 x 16 whose VUI says these transfer characteristics; null: no colour at all. */
const config = (transfer: number | null): Buffer => {
  const bits = new BitWriter().bits(66, 8).bits(0, 8).bits(10, 8);
  // Ids and numbers of 0 are a single 1 in Exp-Golomb; pic_order_cnt_type 2 is 011.
  bits.bits(1, 1).bits(1, 1).bits(3, 3).bits(1, 1).bits(0, 1).bits(1, 1).bits(1, 1).bits(3, 2).bits(0, 1);
  if (transfer === null) bits.bits(0, 1);
  else bits.bits(1, 1).bits(0, 2).bits(1, 1).bits(5, 3).bits(0, 1).bits(1, 1).bits(9, 8).bits(transfer, 8).bits(9, 8).bits(0, 7);
  // In front of a zero byte nothing is escaped here: no three zero bytes follow each other.
  const sps = Buffer.concat([Buffer.from([0x67]), bits.bits(1, 1).bytes()]);
  return encodeAvcConfig([sps], [Buffer.from('68ebe3cb22c0', 'hex')]);
};

t.test('the range of brightness is that of the transfer characteristics, live and out of a log', async (t) => {
  for (const [transfer, range] of [[16, 'PQ'], [18, 'HLG'], [1, 'SDR'], [2, undefined], [null, undefined]] as const) {
    const told = videoEpoch(0, { kind: 'video', codec: 'h264', config: config(transfer) }, 0, null);
    t.equal(told.videoRange, range);
    const stored = { first: 0, end: 0, entry: () => t.fail(), epochs: [{ epoch: 0, timescale: 90_000, wallClock: 0, start: 0, reorderDelay: 0, codecString: 'avc1', run: 'r', init: told.init }] };
    t.equal(trackEpochs(stored as never, null)[0]?.videoRange, range);
  }
});
