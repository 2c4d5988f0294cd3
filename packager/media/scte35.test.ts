import t from 'tap';
import { fuzz } from '../../test/support/random.ts';
import { CodecError } from './codec-error.ts';
import { isSplice, parseSplice } from './scte35.ts';

// The samples of SCTE 35 2019, section 14.
const samples = {
  insertOut: '/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=',
  placementStart: '/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg==',
  placementEnd: '/DAvAAAAAAAA///wBQb+dGKQoAAZAhdDVUVJSAAAjn+fCAgAAAAALKChijUCAKnMZ1g=',
};
const sections = Object.values(samples).map((text) => Buffer.from(text, 'base64'));

t.test('the samples of the specification say what it says of them', async (t) => {
  const [insert, start, end] = sections.map(parseSplice);
  t.match(insert, { command: 5, time: 0x0_7369_c02e, signs: [{ kind: 'out', eventId: 0x4800_008f, duration: 0x52_ccf5, cancelled: false }] });
  t.match(start, { command: 6, time: 0x0_72bd_0050, signs: [{ kind: 'out', eventId: 0x4800_008e, type: 0x34, duration: 0x1a5_99b0 }] });
  t.match(end, { command: 6, time: 0x0_7462_90a0, signs: [{ kind: 'in', eventId: 0x4800_008e, type: 0x35, duration: null }] });
});

t.test('a wrong CRC, a wrong length and another table are no splice', async (t) => {
  for (const section of sections) {
    t.ok(isSplice(section));
    t.notOk(isSplice(section.subarray(0, -1)));
    t.notOk(isSplice(Buffer.concat([section, Buffer.alloc(1)])));
    const spoilt = Buffer.from(section);
    spoilt[12] = (spoilt[12] ?? 0) ^ 1;
    t.notOk(isSplice(spoilt));
  }
});

/** The CRC made right, so that what lies behind it is reached. */
const sealed = (input: Buffer): Buffer => {
  const section = Buffer.concat([Buffer.from([0xfc, 0x30, 0]), input.subarray(3, 3 + 250), Buffer.alloc(4)]);
  section.writeUInt16BE(0x3000 | (section.length - 3), 1);
  let crc = 0xffff_ffff;
  for (const byte of section.subarray(0, -4)) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) crc = crc < 0 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  }
  section.writeUInt32BE(crc >>> 0, section.length - 4);
  return section;
};

t.test('whatever lies behind a right CRC is read or refused with a code', async (t) => {
  const { accepted, refused } = fuzz((input) => parseSplice(sealed(input)), CodecError, sections, { count: 40_000, seed: 3 });
  t.ok(accepted > 500 && refused > 5000, `${accepted} accepted, ${refused} refused`);
});
