/**
 * A low-latency viewer without a picture: reloads each playlist as soon as it is answered and fetches every part,
 * as a player does. It says when each answer came, and what was wrong with it.
 */
import { Agent, get } from 'node:http';

type Answer = { readonly status: number; readonly text: string; readonly bytes: number };

export class LowLatencyViewer {
  readonly faults: string[] = [];
  /** Name of a part → ms (performance.now) at which the playlist that names it had arrived. */
  readonly announced = new Map<string, number>();
  bytes = 0;
  /** Reloads that were held until the server had no patience left: the sender stood still for three target durations. */
  heldTooLong = 0;
  /** Requests made. */
  asked = 0;
  /** Called with each playlist as it arrives. */
  onPlaylist: (track: string, text: string) => void = () => undefined;
  readonly #base: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  /** `base`: the address of the video, such as http://127.0.0.1:8080/play/-/<video>. */
  constructor(base: string) {
    this.#base = base;
  }

  start(tracks: readonly string[] = ['v0', 'a0']): void {
    this.#running = Promise.all(
      tracks.map((track) => this.#follow(track).catch((error: unknown) => this.faults.push(`${track}: ${error instanceof Error ? error.message : String(error)}`))),
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#agent.destroy();
  }

  async #follow(track: string): Promise<void> {
    let query = '';
    let fetched: string | null = null;
    while (!this.#stopped) {
      const { status, text } = await this.#get(`${track}/index.m3u8${query}`);
      const at = performance.now();
      if (this.#stopped) return;
      if (status === 503 && text.includes('"held-too-long"')) {
        // No fault: a player asks again, and is held again.
        this.heldTooLong += 1;
        continue;
      }
      if (status !== 200) {
        this.faults.push(`${track}${query}: ${status}`);
        return;
      }
      this.onPlaylist(track, text);
      // A part that is not there is named all the same, and not to be asked for.
      const parts = [...text.matchAll(/#EXT-X-PART:(?!.*GAP=YES).*URI="([^"]+)"/g)].map(([, uri = '']) => uri);
      for (const part of parts) if (!this.announced.has(part)) this.announced.set(part, at);
      // A player that joins takes the newest part; afterwards it misses none.
      const fresh = fetched === null ? parts.slice(-1) : parts.slice(parts.indexOf(fetched) + 1);
      for (const part of fresh) await this.#fetchPart(track, part);
      fetched = parts.at(-1) ?? fetched;
      const [, msn, part] = /PRELOAD-HINT:TYPE=PART,URI="[a-z0-9]+-(\d+)-(\d+)\.m4s"/.exec(text) ?? [];
      if (msn === undefined || part === undefined) {
        if (!text.includes('#EXT-X-ENDLIST')) this.faults.push(`${track}${query}: nothing to come is named, and it has not ended: ${text.slice(-500)}`);
        return;
      }
      query = `?_HLS_msn=${msn}&_HLS_part=${part}`;
    }
  }

  async #fetchPart(track: string, part: string): Promise<void> {
    const { status, bytes } = await this.#get(`${track}/${part}`);
    this.bytes += bytes;
    if (status !== 200) this.faults.push(`${track}/${part}: ${status}`);
  }

  #get(path: string): Promise<Answer> {
    this.asked += 1;
    return new Promise((resolve, reject) => {
      const request = get(`${this.#base}/${path}`, { agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          resolve({ status: response.statusCode ?? 0, text: path.includes('.m3u8') ? body.toString() : '', bytes: body.length });
        });
      });
      // A reload is held for 18 s at the most, and the machine may be busy.
      request.setTimeout(60_000, () => request.destroy(new Error(`no answer to ${path} in 60 s`)));
      request.on('error', reject);
    });
  }
}
