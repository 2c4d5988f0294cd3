/**
 * `--demo`: a channel with a moving test picture, so that the very first page plays. It sends as any encoder would,
 * but ffmpeg only makes the stream: on its command line every user of the machine could read the stream key.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { publishFlv } from '../ingest/rtmp/flv-publisher.ts';
import type { Clock } from '../packager/clock.ts';
import type { Auth } from './auth/auth.ts';
import type { Catalog } from './catalog/catalog.ts';
import { newToken } from './catalog/ids.ts';
import type { ServerLog } from './log.ts';

const NAME = 'demo';
const RESTART_MS = 3_000;

/** Two seconds between key frames, constant rate, no look-ahead: what the studio tells streamers to set. */
const pictureArguments = [
  ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-re'],
  ...['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=30', '-f', 'lavfi', '-i', 'sine=frequency=330:beep_factor=4:sample_rate=48000'],
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '60', '-b:v', '1500k', '-maxrate', '1500k', '-bufsize', '1500k'],
  ...['-filter:a', 'volume=0.1', '-c:a', 'aac', '-b:a', '128k', '-ac', '2', '-f', 'flv', 'pipe:1'],
];

export type DemoOptions = { readonly catalog: Catalog; readonly auth: Auth; readonly clock: Clock; readonly log: ServerLog; readonly rtmpPort: number };

export class Demo {
  readonly #o: DemoOptions;
  #child: ChildProcess | null = null;
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(options: DemoOptions) {
    this.#o = options;
  }

  async start(): Promise<void> {
    const key = await this.#streamKey();
    if (key !== null) this.#send(key);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.#child?.kill('SIGKILL');
  }

  async #streamKey(): Promise<string | null> {
    const { channels, accounts, streamKeys } = this.#o.catalog;
    const known = await channels.byName(NAME);
    if (known) return (await streamKeys.first(known.id))?.key ?? null;
    // Nobody knows this password: the account only owns the channel.
    const passwordHash = await this.#o.auth.passwords.hash(newToken());
    const owner = (await accounts.byUsername(NAME)) ?? (await accounts.create({ username: NAME, role: 'creator', passwordHash }));
    const { key } = await channels.create({
      ...{ name: NAME, ownerId: owner.id, title: 'Test picture', description: '', visibility: 'public' },
      ...{ latency: 'low', ladder: 'source', protection: 'none', srtPassphrase: null, dvrSeconds: null, captions: [], downloads: true },
    });
    return key;
  }

  #send(key: string): void {
    const { log, clock, rtmpPort } = this.#o;
    const child = spawn(process.env['FFMPEG_PATH'] ?? 'ffmpeg', pictureArguments, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let last = '';
    child.stderr.on('data', (data: Buffer) => {
      last = data.toString().slice(-500);
    });
    child.on('error', (error) => log.error({ err: error }, 'The test picture needs ffmpeg, and it could not be started.'));
    child.on('spawn', () => {
      publishFlv(child.stdout, { port: rtmpPort, app: 'live', key }).catch((error: unknown) => {
        // Without anybody to take the picture there is no use in making it; its end starts the next one.
        child.kill('SIGKILL');
        if (!this.#stopped) log.warn({ err: error }, 'The test picture could not be sent.');
      });
    });
    child.on('exit', (code) => {
      if (this.#stopped) return;
      log.warn({ code, said: last.trim() }, 'The sender of the test picture stopped; it is started again.');
      this.#cancel = clock.after(RESTART_MS, () => this.#send(key));
    });
  }
}
