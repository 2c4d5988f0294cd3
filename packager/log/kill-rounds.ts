/** Kills a process that writes a log, at random moments, and looks at what it left behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import type { Test } from 'tap';
import { killData, killOptions } from './kill-writer.ts';
import { openTrackLog } from './open.ts';
import { recover } from './recover.ts';
import { random } from './sample.ts';

const writer = fileURLToPath(new URL('kill-writer.ts', import.meta.url));

/** Each log lives through ten kills, and goes on after each of them. */
const livesOfALog = 10;

export async function killRounds(t: Test, rounds: number, seed: number): Promise<void> {
  const next = random(seed);
  let folder = '';
  let announced = new Map<number, number>();
  let fragments = 0;
  let torn = 0;
  for (let round = 0; round < rounds; round++) {
    const isNew = round % livesOfALog === 0;
    if (isNew) {
      await rm(folder, { recursive: true, force: true });
      folder = await mkdtemp(join(tmpdir(), 'millrace-kill-'));
      announced = new Map();
    }
    const came = await writeAndKill(folder, isNew, 1 + Math.floor(next() * 60));
    fragments += came.size;
    for (const [seq, crc] of came) announced.set(seq, crc);
    const left = await recover(killOptions(folder).disk, folder, () => undefined);
    if (left.tornBytes > 0) torn++;
    const bad = await check(folder, announced);
    t.strictSame(bad, [], `round ${round}: ${came.size} fragments were announced, ${left.tornBytes} bytes were torn`);
    const after = await recover(killOptions(folder).disk, folder, () => undefined);
    t.equal(after.tornBytes, 0, 'the torn tail is cut');
  }
  await rm(folder, { recursive: true, force: true });
  if (rounds >= 100) t.ok(torn >= rounds / 20, 'kills hit writes');
  t.comment(`${fragments} fragments in ${rounds} rounds, ${torn} torn tails`);
}

/** What the writer announced before it died, sequence numbers and CRCs. The kill comes with the n-th of them. */
async function writeAndKill(folder: string, isNew: boolean, after: number): Promise<Map<number, number>> {
  const child = spawn(process.execPath, [writer, folder, isNew ? 'new' : 'again'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const came = new Map<number, number>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [seq, crc] = line.split(' ').map(Number);
    if (seq !== undefined && crc !== undefined) came.set(seq, crc);
    if (came.size === after) child.kill('SIGKILL');
  }
  await ended;
  if (came.size < after) throw new Error(`the writer ended by itself after ${came.size} fragments`);
  return came;
}

async function check(folder: string, announced: ReadonlyMap<number, number>): Promise<string[]> {
  const log = await openTrackLog({ ...killOptions(folder), syncEveryMs: 0 });
  const { first, end, epochs, entry } = log.reader.snapshot();
  const bad: string[] = [];
  const newest = Math.max(...announced.keys());
  if (end <= newest) bad.push(`the log ends at ${end}, ${newest} was announced`);
  if (first > newest) bad.push(`the log begins at ${first}`);
  const stored = await log.reader.readChecked(first, end);
  for (const [at, data] of stored.entries()) {
    const seq = first + at;
    if (!data.equals(killData(seq)) || (announced.get(seq) ?? crc32(data)) !== crc32(data)) bad.push(`fragment ${seq} is not what was written`);
    if (!epochs.some((facts) => facts.epoch === entry(seq).epoch)) bad.push(`fragment ${seq} has lost its epoch`);
  }
  await log.close();
  return bad;
}
