/** Reads pieces of files and sums them up, where no page waits for it. */
import { contentDigest, crcStart, crcUpdate } from './crc32c.ts';
import type { WorkerAnswer, WorkerOrder } from './digest.ts';

addEventListener('message', (event: MessageEvent<WorkerOrder>) => {
  const { id, blob } = event.data;
  const answer = (said: WorkerAnswer, transfer: Transferable[] = []): void => postMessage(said, { transfer });
  blob.arrayBuffer().then(
    (body) => answer({ id, body, digest: contentDigest(crcUpdate(crcStart, new Uint8Array(body))) }, [body]),
    (error: unknown) => answer({ id, error: String(error) }),
  );
});
