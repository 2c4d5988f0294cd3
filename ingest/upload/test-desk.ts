/** For tests: a desk that knows some uploads and remembers what it was told. */
import type { Landed, OpenUpload, Refusal, UploadDesk, UploadVerdict } from './desk.ts';

export const tokenOf = (id: string): string => `token-of-${id}`.padEnd(20, '0');

export class FakeDesk implements UploadDesk {
  readonly uploads = new Map<string, OpenUpload>();
  readonly wholes = new Set<string>();
  readonly told: string[] = [];
  readonly landedBytes = new Map<string, number>();
  full: Refusal | null = null;
  /** What happens while it becomes whole. */
  settle: () => Promise<void> = async () => undefined;

  async verdict(token: string): Promise<UploadVerdict> {
    for (const upload of this.uploads.values()) {
      if (tokenOf(upload.id) !== token) continue;
      return this.wholes.has(upload.id) ? { kind: 'whole', id: upload.id, size: upload.size, expiresAt: upload.expiresAt } : { kind: 'open', upload };
    }
    return { kind: 'refused', refusal: { status: 404, code: 'upload-unknown', detail: 'no' } };
  }
  room(): Refusal | null {
    return this.full;
  }
  landed(id: string, { bytes }: Landed): void {
    this.landedBytes.set(id, bytes);
  }
  async whole(id: string): Promise<void> {
    await this.settle();
    this.told.push(`whole ${id}`);
    this.wholes.add(id);
  }
  async cancelled(id: string): Promise<void> {
    this.told.push(`cancelled ${id}`);
    this.uploads.delete(id);
  }
}
