/** The thread of the digests: see `digest-thread.ts`. */
import { parentPort } from 'node:worker_threads';
import type { DigestOrder, DigestWord } from './digest-thread.ts';
import { startDigest, type Digest } from './digest.ts';

const digests = new Map<number, Digest>();
const say = (word: DigestWord): void => parentPort?.postMessage(word);

parentPort?.on('message', (order: DigestOrder) => {
  const { id } = order;
  switch (order.of) {
    case 'start':
      digests.set(id, startDigest(order.name));
      return;
    case 'bytes':
      digests.get(id)?.update(Buffer.from(order.shared, 0, order.length));
      say({ id, value: null });
      return;
    case 'value':
      say({ id, value: digests.get(id)?.value() ?? null });
      digests.delete(id);
      return;
    case 'drop':
      digests.delete(id);
  }
});
