/**
 * An upload behind which the real server has made its rungs, with the real ffmpeg. Every picture carries its number, in the
 * original and in every rung.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Test } from 'tap';
import { clip, type ClipOptions } from './clips.ts';
import { encoded } from './encoded.ts';
import { startServer, type MillraceServer, type ServerOptions } from './server.ts';
import { untilState, uploadFile } from './upload.ts';

/** What is uploaded: B-frames, sound with a click each second, a number in each picture, 30 a second; and so busy that each rung needs the bits that it may have. */
const uploaded: ClipOptions = { width: 640, height: 360, bframes: 2, kbps: 800, busy: true };

const small = `rungs:
  - { height: 240, bitrate: 300k, preset: ultrafast }
  - { height: 144, bitrate: 150k, preset: ultrafast }
`;

/** The clip over and over, as one file. `as`: how its pictures are encoded. */
export const looped = async (seconds: number, as: readonly string[] = ['-c', 'copy']): Promise<string> => {
  const { file, seconds: once } = await clip(uploaded);
  return encoded('mp4', ['-stream_loop', String(Math.ceil(seconds / once) - 1), '-i', file, ...as]);
};

export class RungStage {
  readonly server: MillraceServer;
  readonly token: string;

  private constructor(server: MillraceServer, token: string) {
    this.server = server;
    this.token = token;
  }

  /** Whose ladder `small` has two rungs below what is uploaded. */
  static async open(t: Test, options: ServerOptions = {}): Promise<RungStage> {
    const folder = mkdtempSync(path.join(tmpdir(), 'millrace-rungs-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(path.join(folder, 'small.yaml'), small);
    const server = await startServer({ ...options, env: { MILLRACE_ENCODE_LADDERS: folder, ...options.env } });
    t.teardown(() => server.stop());
    return new RungStage(server, await server.login());
  }

  /** Uploaded, and all of it made. */
  async ready(file: string, settings: object = {}): Promise<{ readonly id: string; readonly base: string }> {
    const { id } = await uploadFile(this.server, this.token, file, { ladder: 'small', ...settings });
    const { state, error } = await untilState(this.server, this.token, id, ['ready'], 100_000);
    if (state !== 'ready') throw new Error(`it is ${state}: ${error?.message}`);
    return { id, base: `${this.server.origin}/play/-/${id}` };
  }
}
