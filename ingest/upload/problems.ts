/** Every way in which the upload edge says no (RFC 9457): the code is for programs and stays, the detail is for people. */
import { STATUS_CODES } from 'node:http';
import type { Refusal } from './desk.ts';
import type { UploadFault, UploadFaultCode } from './faults.ts';

export type Problem = Refusal & {
  /** Seconds. */
  readonly retryAfter?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the document. */
  readonly more?: Readonly<Record<string, unknown>>;
};

const titles: Readonly<Record<number, string>> = { 460: 'Checksum Mismatch' };

export const problemDocument = ({ status, code, detail, more }: Problem): string =>
  JSON.stringify({ type: 'about:blank', title: titles[status] ?? STATUS_CODES[status] ?? 'Error', status, code, detail, ...more });

export const problems = {
  unknown: { status: 404, code: 'not-found', detail: 'There is nothing at this address.' },
  badPart: { status: 400, code: 'bad-part', detail: 'The number of a part is a whole number, from 0.' },
  badSize: { status: 400, code: 'bad-part-size', detail: 'size is a power of two from 262144 to 67108864, given once.' },
  expired: { status: 410, code: 'upload-expired', detail: 'This address has expired. Ask for a new one: what has come of the file is kept for a while.' },
  over: { status: 410, code: 'upload-gone', detail: 'This upload is over: it was cancelled.' },
  isWhole: { status: 409, code: 'upload-over', detail: 'All bytes of this upload are there. The video can be removed, the upload no more.' },
  otherWay: { status: 409, code: 'other-way', detail: 'This upload comes by the other way already: tus and parts do not mix.' },
  locked: { status: 423, code: 'locked', detail: 'Somebody else is sending the same bytes. Try again in a moment.', retryAfter: 2 },
  /** Of parts: a status that every client tries again by itself. */
  lockedPart: { status: 503, code: 'locked', detail: 'Somebody else is sending the same part. Try again in a moment.', retryAfter: 2 },
  takenOver: { status: 409, code: 'taken-over', detail: 'Somebody else sends these bytes now.' },
  tooSlow: { status: 408, code: 'too-slow', detail: 'Nothing has come for a minute.' },
  tooManyBodies: { status: 429, code: 'too-many-parts', detail: 'So many parts of one upload are not taken at once.', retryAfter: 1 },
  crowded: { status: 503, code: 'crowded', detail: 'Too many send at once. Try again in a moment.', retryAfter: 2 },
  stopping: { status: 503, code: 'stopping', detail: 'The server is stopping. Go on in a moment: what has come is kept.', retryAfter: 2 },
  diskFull: { status: 507, code: 'disk-full', detail: 'The server has no room for more. Go on when whoever runs it has made some: what has come is kept.' },
  diskFailed: { status: 500, code: 'disk-failed', detail: 'The disk failed. What it may have lost is claimed no more: ask what is missing.' },
  internal: { status: 500, code: 'internal', detail: 'Something went wrong here; it has been logged.' },

  tusVersion: { status: 412, code: 'tus-version', detail: 'Tus-Resumable must be 1.0.0.', headers: { 'tus-version': '1.0.0' } },
  tusType: { status: 415, code: 'not-offset-octet-stream', detail: 'The Content-Type of a PATCH is application/offset+octet-stream.' },
  badOffset: { status: 400, code: 'bad-offset', detail: 'Upload-Offset is a whole number of bytes, from 0.' },
  offset: (offset: number) => ({ status: 409, code: 'offset-conflict', detail: `The upload goes on at byte ${offset}.`, headers: { 'upload-offset': String(offset) } }),
  tooMuch: (left: number) => ({ status: 413, code: 'too-much', detail: `The upload has room for ${left} bytes more.` }),
  badChecksum: { status: 400, code: 'bad-checksum', detail: 'Upload-Checksum is an algorithm, a space, and the checksum in base64.' },
  unknownChecksum: { status: 400, code: 'checksum-unsupported', detail: 'This algorithm is not known here.' },
  checksum: { status: 460, code: 'checksum-mismatch', detail: 'What has come is not what the checksum is of. It was thrown away.' },

  noSuchPart: (parts: number) => ({ status: 400, code: 'no-such-part', detail: `The parts of this upload, at this size, are 0 to ${parts - 1}.` }),
  noLength: { status: 411, code: 'length-required', detail: 'A part is sent with its Content-Length.' },
  partLength: (length: number) => ({ status: 400, code: 'part-length', detail: `This part has ${length} bytes.`, more: { length } }),
  noDigest: { status: 400, code: 'digest-required', detail: 'A part is sent with a Content-Digest: sha-256 or crc32c.', headers: { 'want-content-digest': 'sha-256=9, crc32c=5' } },
  unknownDigest: { status: 400, code: 'digest-unsupported', detail: 'Content-Digest names neither sha-256 nor crc32c.', headers: { 'want-content-digest': 'sha-256=9, crc32c=5' } },
  badDigest: { status: 400, code: 'bad-digest', detail: 'Content-Digest cannot be read: sha-256=:<base64>: or crc32c=:<base64 of four bytes, the highest first>:' },
  digest: { status: 422, code: 'digest-mismatch', detail: 'What has come is not what the digest is of. It does not count: send the part again.' },
  encoded: { status: 415, code: 'encoded', detail: 'Bodies are taken as they are, without a Content-Encoding.' },

  missing: (missing: readonly unknown[]) => ({ status: 409, code: 'parts-missing', detail: 'Bytes are missing.', more: { missing } }),
  method: (allow: string) => ({ status: 405, code: 'method-not-allowed', detail: `This address answers ${allow}.`, headers: { allow } }),
} as const satisfies Record<string, Problem | ((...facts: never[]) => Problem)>;

const ofFaults: Readonly<Record<UploadFaultCode, Problem>> = {
  'disk-full': problems.diskFull,
  'disk-failed': problems.diskFailed,
  crowded: problems.crowded,
  over: problems.over,
};

export const problemOf = ({ code }: UploadFault): Problem => ofFaults[code];
