/** An intake in a process of its own, for a test that kills it: `kill-child.ts DATA VIDEO`. Says what it does, line by line. */
import { join } from 'node:path';
import { systemClock } from '../../packager/clock.ts';
import { createCoreBudget } from '../../packager/encode/budget.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { openCatalog } from '../catalog/catalog.ts';
import { Crew } from '../jobs/crew.ts';
import { roomsOf } from '../jobs/room.ts';
import { VideoIntake } from './intake.ts';
import { noArrivals, noCaptions, nothingBehind, silent } from './testing.ts';
import { openWorkshop } from './workshop.ts';

const [, , data = '', video = ''] = process.argv;
const clock = systemClock;
const catalog = await openCatalog({ folder: data, clock, log: silent });
const { sandbox } = await openWorkshop({ folder: join(data, 'jobs'), clock, log: silent, strict: false, gentle: false });
const budget = createCoreBudget(4);
const crew = new Crew({ queue: catalog.jobs, clock, log: silent, folder: join(data, 'jobs'), budget, rooms: roomsOf(budget, { here: 4 }), leaseMs: 1_500, idleMs: 200 });
const intake: VideoIntake = new VideoIntake({
  ...{ catalog, clock, log: silent, disk: nodeDisk, folder: join(data, 'videos'), crew, arrivals: noArrivals },
  ...{ sandbox: Promise.resolve(sandbox), outdated: () => undefined, captions: noCaptions, behind: nothingBehind },
  changed: (id) => {
    const progress = intake.progress(id);
    process.stdout.write(`${progress ? `${progress.step} ${progress.done}` : 'over'}\n`);
  },
});
intake.start();
crew.start();
await intake.whole(video);
setInterval(() => undefined, 60_000);
