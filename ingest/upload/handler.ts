/**
 * The upload edge as an HTTP handler, to be put in front of everything else: it answers for what begins with /upload/.
 *
 *     path ─ verdict of the desk ─ original (what has landed) ─ seat (nobody else writes these bytes) ─ body ─ claim ─ answer
 *
 * The server in front must not cut long bodies (`requestTimeout: 0`): a part takes minutes on a bad line. Bodies that bring
 * nothing are ended here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../packager/clock.ts';
import type { OpenUpload, UploadDesk, UploadVerdict } from './desk.ts';
import { Edge } from './edge.ts';
import { Exchange, optionsHeaders } from './exchange.ts';
import { UploadFault } from './faults.ts';
import { uploadLimits, type UploadLimits } from './limits.ts';
import type { Originals } from './originals.ts';
import { putPart } from './parts.ts';
import { parseUploadPath, uploadPrefix, type UploadPath } from './path.ts';
import { problems } from './problems.ts';
import { giveStatus, postFinish } from './status.ts';
import { answerTus, readTus } from './tus.ts';

export type UploadEdgeOptions = {
  readonly desk: UploadDesk;
  readonly originals: Originals;
  readonly clock: Clock;
  /** Something failed on our side. */
  readonly failed: (error: unknown) => void;
  readonly limits?: Partial<UploadLimits>;
};

export interface UploadEdge {
  /**
   * False: this is not for uploads. `invite`: for requests that came with `Expect: 100-continue` and have not been told to
   * go on (`checkContinue`); it is called when the body is wanted.
   */
  handle(request: IncomingMessage, response: ServerResponse, invite?: () => void): boolean;
  /** What an earlier run of the server had taken in whole, and not come to finish. Does nothing where bytes are missing. */
  finish(upload: OpenUpload): Promise<void>;
  /** Bodies on their way are ended where they are; resolves when every request has been answered, and what came is written down. */
  stop(): Promise<void>;
  stats(): { readonly requests: number; readonly bodies: number; readonly received: number };
}

type Accepted = Exclude<UploadVerdict, { kind: 'refused' }>;
type Answer = (verdict: Accepted) => Promise<void>;

const allowed: Readonly<Record<UploadPath['kind'], string>> = {
  tus: 'HEAD, PATCH, DELETE, OPTIONS',
  part: 'PUT, OPTIONS',
  status: 'GET, HEAD, OPTIONS',
  finish: 'POST, OPTIONS',
};

export const createUploadEdge = ({ desk, originals, clock, failed, limits: changed }: UploadEdgeOptions): UploadEdge => {
  const limits = { ...uploadLimits, ...changed };
  const edge = new Edge({ desk, originals, clock, limits, failed });
  const under = new Set<Promise<void>>();
  const exchanges = new Set<Exchange>();

  const handle = (request: IncomingMessage, response: ServerResponse, invite?: () => void): boolean => {
    const url = request.url ?? '';
    if (!url.startsWith(uploadPrefix)) return false;
    const exchange = new Exchange(request, response, { clock, limits, invite: invite ?? null, stopping: () => edge.stopping });
    if (exchange.method === 'OPTIONS') {
      exchange.answer(204, optionsHeaders);
      return true;
    }
    if (under.size >= limits.requests) {
      exchange.problem(problems.crowded);
      return true;
    }
    exchanges.add(exchange);
    response.once('close', () => exchanges.delete(exchange));
    const answering = route(exchange, url)
      .catch((error: unknown) => exchange.problem(edge.faultOf(error)))
      .finally(() => {
        // Whatever was forgotten: nobody waits for ever.
        if (!exchange.answered && !exchange.left) exchange.problem(problems.internal);
        under.delete(answering);
      });
    under.add(answering);
    return true;
  };

  const route = async (exchange: Exchange, url: string): Promise<void> => {
    const path = parseUploadPath(url);
    if (path.kind === 'unknown') return exchange.problem(problems.unknown);
    if (path.kind === 'bad-part') return exchange.problem(problems.badPart);
    if (path.kind === 'bad-size') return exchange.problem(problems.badSize);
    if (!allowed[path.kind].split(', ').includes(exchange.method)) return exchange.problem(problems.method(allowed[path.kind]));
    if (edge.stopping) return exchange.problem(problems.stopping);
    const answer = answerOf(exchange, path);
    if (!answer) return;
    try {
      await admit(exchange, path.token, answer);
    } catch (error) {
      // It became whole, or was removed, between the verdict and now: the desk knows which.
      if (!(error instanceof UploadFault) || error.code !== 'over' || exchange.answered) throw error;
      await admit(exchange, path.token, answer);
    }
  };

  /** Null: it is malformed, and that has been said. */
  const answerOf = (exchange: Exchange, path: UploadPath): Answer | null => {
    switch (path.kind) {
      case 'tus': {
        const request = readTus(exchange);
        return request && ((verdict) => answerTus(edge, originals, exchange, request, verdict));
      }
      case 'part':
        return (verdict) => putPart(edge, originals, exchange, path, verdict);
      case 'status':
        return (verdict) => giveStatus(originals, exchange, verdict, limits.ranges);
      case 'finish':
        return (verdict) => postFinish(edge, exchange, verdict);
    }
  };

  const admit = async (exchange: Exchange, token: string, answer: Answer): Promise<void> => {
    const verdict = await desk.verdict(token);
    if (verdict.kind === 'refused') return exchange.problem(verdict.refusal);
    const expiresAt = verdict.kind === 'open' ? verdict.upload.expiresAt : verdict.expiresAt;
    if (expiresAt <= clock.wall()) return exchange.problem(problems.expired);
    await answer(verdict);
  };

  return {
    handle,
    finish: async (upload) => {
      await edge.finish(upload);
    },
    stop: async () => {
      edge.stop();
      for (const exchange of exchanges) exchange.hurry();
      await Promise.all(under);
      await edge.digests.close();
    },
    stats: () => ({ requests: under.size, bodies: edge.bodies, received: edge.received }),
  };
};
