/** What uploads stand on in a browser. */
import { api } from '../api/endpoints.ts';
import { followVideo } from '../api/follow-browser.ts';
import { workerReader } from './digest.ts';
import type { UploadTools } from './ground.ts';
import { browserMemory } from './memory.ts';
import { browserWire } from './wire.ts';

export const browserTools = (): UploadTools => ({
  api,
  wire: browserWire,
  reader: workerReader(),
  memory: browserMemory,
  clock: {
    now: () => performance.now(),
    later(milliseconds, run) {
      const timer = setTimeout(run, milliseconds);
      return () => clearTimeout(timer);
    },
  },
  random: Math.random,
  online: () => navigator.onLine,
  // crypto.randomUUID is not there on insecure origins.
  newKey: () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  follow: followVideo,
  onNetwork(run) {
    const gone = new AbortController();
    for (const event of ['online', 'offline']) addEventListener(event, run, { signal: gone.signal });
    return () => gone.abort();
  },
  report: (error) => console.error(error),
});
