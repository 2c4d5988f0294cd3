/** What is said of a key: in every way in which players of a scheme are told of keys, something is. */
import t from 'tap';
import { keyLines } from '../hls/key-lines.ts';
import type { KeyRing, Protected } from './keys.ts';
import { keyRing } from './key-ring.ts';
import { checkTold, ours, type KeySignal } from './signals.ts';

const hls = { uri: 'skd://example.org/1', keyFormat: 'org.example.licences', keyFormatVersions: null, session: false };
const dash = { value: null, xml: '' };
const system = (said: Pick<Extract<KeySignal, { by: 'system' }>, 'hls' | 'dash'>): KeySignal => ({ by: 'system', systemId: '0a1b2c3d-0000-4000-8000-00000000abcd', pssh: null, ...said });

const under = (scheme: Protected['scheme'], signals: readonly KeySignal[]): Protected => {
  const plain = keyRing(Buffer.alloc(32, 7), 1);
  const ring: KeyRing = { ...plain, key: (slot) => ({ ...plain.key(slot), signals }) };
  return { scheme, ring };
};

t.test('a key of which some players would hear nothing is refused, and is never an empty line', async (t) => {
  const cases: [string, readonly KeySignal[], { 'aes-128': boolean; cbcs: boolean }][] = [
    ['this server', ours, { 'aes-128': true, cbcs: true }],
    ['nothing', [system({ hls: null, dash: null })], { 'aes-128': false, cbcs: false }],
    ['DASH alone', [system({ hls: null, dash })], { 'aes-128': false, cbcs: false }],
    ['HLS alone', [system({ hls, dash: null })], { 'aes-128': false, cbcs: false }],
    ['the key itself, in HLS', [system({ hls: { ...hls, keyFormat: 'identity' }, dash: null })], { 'aes-128': true, cbcs: false }],
    ['licences', [system({ hls, dash })], { 'aes-128': false, cbcs: true }],
    ['one for each', [system({ hls, dash: null }), system({ hls: null, dash })], { 'aes-128': false, cbcs: true }],
  ];
  for (const [name, signals, told] of cases) {
    for (const scheme of ['aes-128', 'cbcs'] as const) {
      if (told[scheme]) {
        checkTold(signals, scheme);
        t.match(keyLines(under(scheme, signals), 0, '../'), /^#EXT-X-KEY:METHOD=/, `${name}, ${scheme}`);
      } else {
        t.throws(() => checkTold(signals, scheme), { code: 'unusable' }, `${name}, ${scheme}`);
        t.throws(() => keyLines(under(scheme, signals), 0, '../'), { code: 'unusable' }, `${name}, ${scheme}`);
      }
    }
  }
});
