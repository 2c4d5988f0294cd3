/** tus 1.0 on an upload that exists already: HEAD, PATCH, DELETE; with checksum, expiration and termination. */
import type { OpenUpload, UploadVerdict } from './desk.ts';
import { parseUploadChecksum, type Expected } from './digest-fields.ts';
import { both, type Edge } from './edge.ts';
import type { Exchange } from './exchange.ts';
import { UploadFault } from './faults.ts';
import type { Original } from './original.ts';
import type { Originals } from './originals.ts';
import { wholeNumber } from './path.ts';
import { problems } from './problems.ts';
import type { Seat } from './writers.ts';

const httpDate = (ms: number): string => new Date(ms).toUTCString();

/** tus 1.0: "If the version specified by the client is not supported by the server, it MUST respond with 412". */
const checkVersion = (exchange: Exchange): boolean => {
  exchange.also = { 'tus-resumable': '1.0.0' };
  if (exchange.header('tus-resumable') === '1.0.0') return true;
  exchange.problem(problems.tusVersion);
  return false;
};

type Accepted = Exclude<UploadVerdict, { kind: 'refused' }>;
type Whole = Extract<UploadVerdict, { kind: 'whole' }>;
/** Judged before anybody is asked for the upload: null when it has been answered. */
export type TusRequest = { readonly of: 'head' } | { readonly of: 'delete' } | Patch;
type Patch = { readonly of: 'patch'; readonly offset: number; readonly expected: Expected | null };

export const readTus = (exchange: Exchange): TusRequest | null => {
  if (!checkVersion(exchange)) return null;
  if (exchange.method === 'HEAD') return { of: 'head' };
  if (exchange.method === 'DELETE') return { of: 'delete' };
  // tus 1.0: "All PATCH requests MUST use Content-Type: application/offset+octet-stream, otherwise the server SHOULD return 415".
  if (exchange.header('content-type') !== 'application/offset+octet-stream') return refuse(exchange, problems.tusType);
  const offset = wholeNumber(exchange.header('upload-offset') ?? undefined);
  if (offset === null) return refuse(exchange, problems.badOffset);
  const checksum = exchange.header('upload-checksum');
  if (checksum === null) return { of: 'patch', offset, expected: null };
  const expected = parseUploadChecksum(checksum);
  if (expected === 'malformed') return refuse(exchange, problems.badChecksum);
  if (expected === 'unsupported') return refuse(exchange, problems.unknownChecksum);
  return { of: 'patch', offset, expected };
};

const refuse = (exchange: Exchange, problem: Parameters<Exchange['problem']>[0]): null => {
  exchange.problem(problem);
  return null;
};

export const answerTus = async (edge: Edge, originals: Originals, exchange: Exchange, request: TusRequest, verdict: Accepted): Promise<void> => {
  if (verdict.kind === 'whole') return ofWhole(exchange, request, verdict);
  const { upload } = verdict;
  if (request.of === 'delete') {
    await edge.cancel(upload);
    return exchange.answer(204, {});
  }
  const gone = await originals.use(upload, (original) => (request.of === 'head' ? head(exchange, original) : patch(edge, exchange, request, original, upload)));
  if (!gone) return;
  // All of it is there. A client is through with it now, and so its last answer says that it is whole, too.
  if (gone.whole) await edge.finish(upload);
  exchange.answer(request.of === 'head' ? 200 : 204, {
    'upload-offset': String(gone.offset),
    'upload-expires': httpDate(upload.expiresAt),
    ...(request.of === 'head' ? { 'upload-length': String(upload.size) } : {}),
  });
};

/** How far it is; null: something else has been answered. */
type Gone = { readonly offset: number; readonly whole: boolean } | null;

const head = async (exchange: Exchange, original: Original): Promise<Gone> => {
  if (original.mode === 'parts') return refuse(exchange, problems.otherWay);
  return { offset: original.landed.prefix, whole: original.landed.whole };
};

const ofWhole = (exchange: Exchange, request: TusRequest, { size, expiresAt }: Whole): void => {
  if (request.of === 'delete') return exchange.problem(problems.isWhole);
  // A client whose last answer was lost asks where it is, or sends nothing at the end.
  if (request.of === 'patch' && request.offset !== size) return exchange.problem(problems.offset(size));
  if (request.of === 'patch' && Number(exchange.header('content-length') ?? 0) > 0) return exchange.problem(problems.tooMuch(0));
  exchange.answer(request.of === 'head' ? 200 : 204, { 'upload-offset': String(size), 'upload-length': String(size), 'upload-expires': httpDate(expiresAt) });
};

const patch = async (edge: Edge, exchange: Exchange, request: Patch, original: Original, upload: OpenUpload): Promise<Gone> => {
  if (original.mode === 'parts') return refuse(exchange, problems.otherWay);
  // Before anybody makes place for it: nobody has to for a request that cannot be right.
  if (request.offset !== original.landed.prefix) return refuse(exchange, problems.offset(original.landed.prefix));
  const left = upload.size - request.offset;
  const length = wholeNumber(exchange.header('content-length') ?? undefined);
  if (length !== null && length > left) return refuse(exchange, problems.tooMuch(left));
  const refusal = edge.refusal(original, length ?? left);
  if (refusal) return refuse(exchange, refusal);

  let at = request.offset;
  const digest = request.expected ? edge.digests.start(request.expected.name) : null;
  const received = edge.receive(exchange, original, [0, upload.size], (seat) => {
    if (!original.begin('tus')) return problems.otherWay;
    // Somebody else may have gone on meanwhile.
    if (original.landed.prefix !== request.offset) return problems.offset(original.landed.prefix);
    return {
      most: left,
      piecemeal: !digest,
      take: async ({ bytes, shared }, length) => {
        // Such a body may be the whole file, and others fill the disk meanwhile.
        const full = edge.desk.room(length);
        if (full) throw new UploadFault('disk-full', full.detail);
        await both(original.write(at, [bytes.subarray(0, length)]), digest?.update(shared, length));
        at += length;
        if (!digest) await claim(original, seat, at);
      },
      judge: async () => {
        if (!digest || !request.expected) return null;
        if (!(await digest.value()).equals(request.expected.value)) return problems.checksum;
        await claim(original, seat, at);
        return null;
      },
    };
  });
  const problem = await received.finally(() => digest?.drop());
  const whole = original.landed.whole;
  if (problem && problem !== 'not-needed') exchange.problem(problem);
  // Whoever sent the last byte may be gone, and not come back: what is whole is finished all the same.
  if (problem && whole) await edge.finish(upload);
  return problem ? null : { offset: original.landed.prefix, whole };
};

const claim = async (original: Original, seat: Seat, to: number): Promise<void> => {
  if (!seat.stopped) await original.landTo(to);
};
