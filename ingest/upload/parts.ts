/** Parts in any order, several at once: each counts when all of it has come and fits its digest, and not before. */
import { unit } from './limits.ts';
import type { UploadVerdict } from './desk.ts';
import { parseContentDigest } from './digest-fields.ts';
import { both, stoppedProblems, type Edge } from './edge.ts';
import type { Exchange } from './exchange.ts';
import type { Original } from './original.ts';
import type { Originals } from './originals.ts';
import { wholeNumber } from './path.ts';
import { problems } from './problems.ts';

export type PartAsked = {
  readonly part: number;
  /** null: the upload's. */
  readonly size: number | null;
};

type Accepted = Exclude<UploadVerdict, { kind: 'refused' }>;

export const putPart = async (edge: Edge, originals: Originals, exchange: Exchange, asked: PartAsked, verdict: Accepted): Promise<void> => {
  if (verdict.kind === 'whole') return haveIt(exchange);
  const { upload } = verdict;
  const size = asked.size ?? upload.partSize;
  const parts = Math.ceil(upload.size / size);
  if (asked.part >= parts) return exchange.problem(problems.noSuchPart(parts));
  const from = asked.part * size;
  const isWhole = await originals.use(upload, async (original) => {
    await take(edge, exchange, original, from, Math.min(upload.size, from + size));
    return original.landed.whole;
  });
  // Whoever sent the last one has heard so, may be gone, and not come back to say that this was all.
  if (isWhole) await edge.finish(upload);
};

const longestMs = 600_000;

/** A part that is there already needs no body. It is read all the same: few clients survive an answer that comes before it is sent. */
const haveIt = async (exchange: Exchange): Promise<void> => {
  if (await exchange.drain(longestMs)) exchange.answer(204, {});
  else exchange.break();
};

const take = async (edge: Edge, exchange: Exchange, original: Original, from: number, to: number): Promise<void> => {
  if (original.mode === 'tus') return exchange.problem(problems.otherWay);
  const length = wholeNumber(exchange.header('content-length') ?? undefined);
  if (length === null) return exchange.problem(problems.noLength);
  if (length !== to - from) return exchange.problem(problems.partLength(to - from));
  if (exchange.header('content-encoding') !== null) return exchange.problem(problems.encoded);
  const field = exchange.header('content-digest');
  if (field === null) return exchange.problem(problems.noDigest);
  const expected = parseContentDigest(field);
  if (expected === 'malformed') return exchange.problem(problems.badDigest);
  if (expected === 'unsupported') return exchange.problem(problems.unknownDigest);
  if (original.landed.has(from, to)) return haveIt(exchange);
  const refusal = edge.refusal(original, length);
  if (refusal) return exchange.problem(refusal);

  const digest = edge.digests.start(expected.name);
  let at = from;
  const received = edge.receive(exchange, original, [from, to], (seat) => {
    if (!original.begin('parts')) return problems.otherWay;
    // Somebody else sent the same meanwhile.
    if (original.landed.has(from, to)) return 'not-needed';
    return {
      most: length,
      piecemeal: false,
      take: async ({ bytes, shared }, length) => {
        await both(writeNew(original, at, bytes.subarray(0, length)), digest.update(shared, length));
        at += length;
      },
      judge: async () => {
        if (at !== to || !(await digest.value()).equals(expected.value)) return problems.digest;
        // The disk may have dropped what was written while this was looked at.
        if (seat.stopped) return stoppedProblems[seat.stopped];
        await original.land(from, to);
        return null;
      },
    };
  });
  const problem = await received.finally(() => digest.drop());
  if (problem === 'not-needed') return haveIt(exchange);
  if (problem) return exchange.problem(problem);
  exchange.answer(204, {});
};

/** What has landed already, as a part of another size, stays as it is: somebody may be reading it. */
const writeNew = async (original: Original, from: number, data: Buffer): Promise<void> => {
  const { landed, size } = original;
  const to = from + data.length;
  let begin = from;
  for (let at = from; at < to; ) {
    const border = Math.floor(at / unit) * unit;
    const end = Math.min(to, border + unit);
    if (landed.has(border, Math.min(size, border + unit))) {
      if (begin < at) await original.write(begin, [data.subarray(begin - from, at - from)]);
      begin = end;
    }
    at = end;
  }
  if (begin < to) await original.write(begin, [data.subarray(begin - from)]);
};
