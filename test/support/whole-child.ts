/** A process that encodes one chunk, and says how far it is: to be killed. Its only argument: folder of the video, folder of the job, the work, as JSON. */
import { systemClock } from '../../packager/clock.ts';
import { findPrograms } from '../../packager/encode/programs.ts';
import { makeJobPlace, Sandbox } from '../../packager/encode/sandbox.ts';
import { buildOf } from '../../packager/encode/vod/address.ts';
import { encodeChunk } from '../../packager/encode/vod/chunk.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import type { EncodeWork } from '../../packager/pipeline/work.ts';

const { folder, job, work } = JSON.parse(process.argv[2] ?? '{}') as { folder: string; job: string; work: EncodeWork };
const programs = await findPrograms();
const place = await makeJobPlace(job);
const sandbox = await Sandbox.open({ programs, clock: systemClock, folder: job, gentle: false });
if (!sandbox) throw new Error('ffmpeg does not run here');
const progress = (done: number): void => void process.stdout.write(`${done}\n`);
await encodeChunk({ sandbox, place, disk: nodeDisk, clock: systemClock, folder, build: buildOf(programs), signal: new AbortController().signal, progress }, work);
process.stdout.write('over\n');
