import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { Spliced } from './spliced.ts';

const place = 'PLACE';
const long = Array.from({ length: 6000 }, (_, line) => `<S t="${line * 180_000}" d="${180_000 + (line % 7)}"/>`).join('\n');

t.test('what each gets is what is written for all with his own in its place, in both encodings', async (t) => {
  for (const text of ['', 'no place', place, `${place} at both ends ${place}`, `twice ${place}${place} in a row`, `one ${place} between`, `${long}${place}${long}`]) {
    const spliced = new Spliced(Buffer.from(text), place);
    for (const own of ['', 'short', 'an address '.repeat(1000)]) {
      const wanted = text.replaceAll(place, own);
      t.equal(spliced.plain(Buffer.from(own)).toString(), wanted);
      for (let time = 0; time < 2; time += 1) t.equal(gunzipSync(await spliced.gzip(Buffer.from(own))).toString(), wanted);
    }
  }
});

t.test('it is compressed', async (t) => {
  const spliced = new Spliced(Buffer.from(`${long}${place}${long}`), place);
  t.ok((await spliced.gzip(Buffer.from('mine'))).length < long.length / 3);
});
