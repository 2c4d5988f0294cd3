import t from 'tap';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LadderError, parseLadder, readLadders } from './read.ts';

t.test('the ladders that come with the server', async (t) => {
  const ladders = readLadders(fileURLToPath(new URL('../../conf/ladders', import.meta.url)));
  t.same([...ladders.keys()], ['light', 'standard']);
  t.same(ladders.get('light')?.rungs.map(({ height }) => height), [480, 240]);
  t.throws(() => readLadders('/nowhere/ladders'), { name: 'LadderError', message: /\/nowhere\/ladders/ }, 'a folder that is not there is said, and stops the start');
  t.same(ladders.get('standard')?.rungs[0], { height: 720, bitRate: 2_500_000, preset: 'veryfast', mostPictures: 30 });
});

t.test('what is wrong with one is said, with its place', async (t) => {
  const refused = (text: string): string => {
    try {
      parseLadder('own.yaml', text);
    } catch (error) {
      if (error instanceof LadderError) return error.message;
      throw error;
    }
    return 'taken';
  };
  t.match(refused('rungs: []'), 'own.yaml: "rungs" is a list');
  t.match(refused('rungs: [{ height: 480, bitrate: 1M }]\nsound: 1'), 'nothing but "audio" stands beside it');
  t.match(refused('- 1'), '"rungs" is a list');
  t.match(refused('rungs: [{ height: 481, bitrate: 1M }]'), 'rung 1: "height" is an even number');
  t.match(refused('rungs: [{ height: 480, bitrate: 1M }, { height: 240, bitrate: much }]'), 'rung 2: "bitrate" is written like');
  t.match(refused('rungs: [{ height: 480, bitrate: 1M, preset: best }]'), '"preset" is one of');
  t.match(refused('rungs: [{ height: 480, bitrate: 1M, fps: 0 }]'), '"fps" is a whole number');
  t.match(refused('rungs: [{ height: 480, bitrate: 1M, frames: 30 }]'), 'there is no "frames"');
  t.match(refused('rungs: [{ height: 480, bitrate: 1M }, { height: 480, bitrate: 2M }]'), 'two rungs of 480');
  t.match(refused('rungs: [{ height: 480'), 'own.yaml:1: ');
  t.match(refused('rungs: *lost'), /^own\.yaml: .*lost/, 'an alias of nothing');
  t.match(refused(`a: &a [1]\nb: &b [${'*a, '.repeat(20)}]\nc: &c [${'*b, '.repeat(20)}]\nrungs: [*c, *c]`), /^own\.yaml: /, 'more aliases than anybody needs');
  t.match(refused('rungs: [{ height: 480, bitrate: 1M }]\naudio: loud'), '"audio" is written like 128k');
  t.match(refused('rungs: [{ height: 480, bitrate: 1M }]\naudio: 1M'), 'from 32k to 320k');
  t.equal(refused('rungs: [{ height: 480, bitrate: 1.5M }]'), 'taken');
  t.equal(parseLadder('own.yaml', 'rungs: [{ height: 480, bitrate: 1M }]\naudio: 128k').soundBitRate, 128_000);
});

t.test('what cannot be read is said, and what begins with a dot is nobody’s ladder', async (t) => {
  const folder = t.testdir({ 'own.yaml': 'rungs: [{ height: 480, bitrate: 1M }]', '.own.yaml.swp.yaml': 'half' });
  t.same([...readLadders(folder).keys()], ['own']);
  mkdirSync(join(folder, 'folder.yaml'));
  t.throws(() => readLadders(folder), { name: 'LadderError', message: /folder\.yaml cannot be read: EISDIR/ });
});
