/** Sends a ready-made clip over RTMP as fast as the server takes it: seconds of media in milliseconds of test. */
import type { Socket } from 'node:net';
import { RtmpTestClient } from '../../ingest/rtmp/test-client.ts';
import type { AccessUnit } from '../../packager/media/unit.ts';
import { clip, type ClipOptions } from './clips.ts';
import { mustFfmpeg } from './ffmpeg.ts';
import { readFlv, type FlvClip } from './flv.ts';
import type { Channel, MillraceServer } from './server.ts';

export const flvClip = async (options: ClipOptions = {}): Promise<FlvClip> => {
  const { file } = await clip(options);
  const { stdout } = await mustFfmpeg(['-v', 'error', '-i', file, '-c', 'copy', '-f', 'flv', 'pipe:1']);
  return readFlv(stdout);
};

const moved = (unit: AccessUnit, by: number, bits: number): AccessUnit => {
  const dts = (unit.dts + by) % 2 ** bits;
  return { ...unit, dts, pts: (dts + unit.pts - unit.dts) % 2 ** 32 };
};

/** In ms of the clip; its stamps moved by `shift`, and kept in so many bits. */
export type Piece = { readonly from?: number; readonly until?: number; readonly shift?: number; readonly bits?: number; readonly only?: AccessUnit['kind'] };

export class ShowSender {
  readonly client: RtmpTestClient;
  #clip: FlvClip;

  private constructor(client: RtmpTestClient, source: FlvClip) {
    this.client = client;
    this.#clip = source;
  }

  static async connect(server: MillraceServer, channel: Channel, source: FlvClip, socket?: Socket): Promise<ShowSender> {
    const client = await RtmpTestClient.connect({ port: server.ports.rtmp, key: channel.ingest.rtmp.key, ...(socket && { socket }) });
    if (source.avcConfig) client.track({ kind: 'video', codec: 'h264', config: source.avcConfig });
    if (source.aacConfig) client.track({ kind: 'audio', codec: 'aac', config: source.aacConfig });
    return new ShowSender(client, source);
  }

  /** What the clip holds from one time to another. */
  async send({ from = 0, until = Number.POSITIVE_INFINITY, shift = 0, bits = 32, only }: Piece = {}): Promise<void> {
    for (const unit of this.#clip.units) {
      if (unit.dts >= from && unit.dts < until && (!only || unit.kind === only)) await this.client.send(moved(unit, shift, bits));
    }
  }

  /** Another picture takes over, as when somebody changes its size in the encoder. */
  async change(clip: FlvClip, piece: Piece): Promise<void> {
    this.#clip = clip;
    if (clip.avcConfig) this.client.track({ kind: 'video', codec: 'h264', config: clip.avcConfig }, piece.shift);
    await this.send(piece);
  }

  end(): Promise<void> {
    return this.client.announceEnd();
  }

  /** The socket is gone without a word. */
  vanish(): void {
    this.client.destroy();
  }
}
