/** Awkward files that cannot be cut out as they lie: what is made of them has every picture and every sound at its moment. */
import t from 'tap';
import { awkward } from './support/awkward.ts';
import { compare, sendAwkward } from './support/awkward-play.ts';
import { startServer } from './support/server.ts';

const server = await startServer();
t.teardown(() => server.stop());
const token = await server.login();

// The others have their minutes in prove/awkward.
for (const one of await awkward(['Matroska with subtitles', 'MPEG-TS', 'VP9 and Opus', 'HEVC', 'a standard picture beside AC-3'])) {
  t.test(one.name, async (t) => compare(t, one, await sendAwkward(server, token, one)));
}
