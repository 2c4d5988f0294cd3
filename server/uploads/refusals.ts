/** Every way in which bytes of an upload are turned away. */
import type { Refusal } from '../../ingest/upload/desk.ts';

export const refusals = {
  unknown: { status: 404, code: 'upload-unknown', detail: 'This is no address of an upload. Ask for the one of the video again.' },
  expired: { status: 410, code: 'upload-expired', detail: 'This address has expired. Ask for a new one: what has come of the file is kept for a while.' },
  gone: { status: 410, code: 'upload-gone', detail: 'This upload was cancelled, or nothing came for too long. Begin again.' },
  diskFull: { status: 507, code: 'disk-full', detail: 'The server has no room for more. Go on when whoever runs it has made some: what has come is kept.' },
  /** What has come is enough to know that it cannot be used. */
  failed: (code: string | null, message: string | null) => ({ status: 422, code: code ?? 'upload-failed', detail: message ?? 'This file cannot be used.' }),
} as const satisfies Record<string, Refusal | ((code: string | null, message: string | null) => Refusal)>;
