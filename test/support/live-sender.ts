/**
 * Sends ready-made clips over RTMP in real time, in a loop, with the time stamps that a test wants: they may turn over,
 * the picture may stop beside running sound, and another clip may take over in the middle of a connection.
 */
import { RtmpTestClient } from '../../ingest/rtmp/test-client.ts';
import type { AccessUnit } from '../../packager/media/unit.ts';
import type { FlvClip } from './flv.ts';
import type { Channel, MillraceServer } from './server.ts';

/** Where the stamps of RTMP begin again. */
export const stampTurn = 2 ** 32;
/** Most clips last as long (clips.ts). */
const usualMs = 8_000;
const tickMs = 15;

export class LiveSender {
  readonly #client: RtmpTestClient;
  readonly #from: number;
  readonly #clipMs: number;
  readonly #begun = performance.now();
  #clip: FlvClip;
  /** ms of this connection at which the clip has begun. */
  #clipAt = 0;
  #sent = 0;
  #silent: AccessUnit['kind'] | null = null;
  #awaitsKey = false;
  #timer: NodeJS.Timeout;

  private constructor(client: RtmpTestClient, clip: FlvClip, from: number, clipMs: number) {
    this.#client = client;
    this.#clip = clip;
    this.#from = from;
    this.#clipMs = clipMs;
    this.#announce();
    this.#timer = setInterval(() => this.#tick(), tickMs);
    void client.closed.then(() => clearInterval(this.#timer));
  }

  /** `from`: the first stamp, ms; `clipMs`: how long every clip of it lasts. */
  static async connect(server: MillraceServer, channel: Channel, clip: FlvClip, { from = 0, clipMs = usualMs } = {}): Promise<LiveSender> {
    return new LiveSender(await RtmpTestClient.connect({ port: server.ports.rtmp, key: channel.ingest.rtmp.key }), clip, from, clipMs);
  }

  #announce(): void {
    const at = Math.floor(this.#from + this.#clipAt) % stampTurn;
    if (this.#clip.avcConfig) this.#client.track({ kind: 'video', codec: 'h264', config: this.#clip.avcConfig }, at);
    if (this.#clip.aacConfig) this.#client.track({ kind: 'audio', codec: 'aac', config: this.#clip.aacConfig }, at);
  }

  #tick(): void {
    const now = performance.now() - this.#begun;
    const { units } = this.#clip;
    for (;;) {
      const unit = units[this.#sent % units.length];
      if (!unit) return;
      const shift = this.#clipAt + Math.floor(this.#sent / units.length) * this.#clipMs;
      if (unit.dts + shift > now) return;
      this.#sent += 1;
      if (unit.kind === this.#silent) continue;
      if (unit.kind === 'video' && this.#awaitsKey) {
        if (!unit.key) continue;
        this.#awaitsKey = false;
      }
      const by = Math.floor(this.#from + shift);
      void this.#client.send({ ...unit, dts: (unit.dts + by) % stampTurn, pts: (unit.pts + by) % stampTurn });
    }
  }

  /** When its first picture was due (performance.now). */
  get begunAt(): number {
    return this.#begun;
  }

  /** Nothing of this kind from now on. */
  silence(kind: AccessUnit['kind']): void {
    this.#silent = kind;
  }

  /** All of it again; the picture with its next key frame. */
  resume(): void {
    this.#awaitsKey = this.#silent === 'video';
    this.#silent = null;
  }

  /** Another clip of the same tracks takes over, as when somebody changes the size of the picture in the encoder. */
  change(clip: FlvClip): void {
    this.#clipAt = performance.now() - this.#begun;
    this.#clip = clip;
    this.#sent = 0;
    this.#announce();
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#client.announceEnd();
  }

  /** The socket is gone without a word. */
  vanish(): void {
    clearInterval(this.#timer);
    this.#client.destroy();
  }
}
