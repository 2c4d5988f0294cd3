/**
 * A route is data: who may call it, what comes in, what goes out, and what it does. The same schemas check
 * requests and make the documentation.
 */
import type { TObject, TSchema } from 'typebox';
import type { Who } from '../../auth/auth.ts';
import type { Role } from '../../catalog/schema.ts';
import type { SessionOrigin } from '../../catalog/sessions.ts';
import type { Shape } from './shape.ts';
import { checker, fromText } from './validate.ts';
import { notFound, type ProblemCode } from './problem.ts';
import { Compile } from 'typebox/compile';

/** `none`: anybody, logged in or not. Each role may do what the ones before it may. */
export type Needs = 'none' | Role;
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a handler may know of the request besides its parts. */
export type CallFacts = {
  readonly origin: SessionOrigin;
  /** `https://example.org`, from server.publicUrl or the request: absolute addresses begin with it. */
  readonly base: string;
  readonly secure: boolean;
  /** Of the header `Millrace-Grant`: unlike what stands in an address, it is in nobody's log. */
  readonly grant: string | undefined;
};

const noBytes = Buffer.alloc(0);

export type Answer = {
  readonly status: number;
  readonly body?: unknown;
  readonly cookie?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

type Known<N extends Needs> = N extends 'none' ? Who | null : Who;
type Given<S> = S extends TSchema ? Shape<S> : undefined;

export type Call<N extends Needs, P, Q, B> = CallFacts & {
  readonly who: Known<N>;
  readonly params: Given<P>;
  readonly query: Given<Q>;
  readonly body: Given<B>;
  /** Of a route that takes `bytes`; empty elsewhere. */
  readonly bytes: Buffer;
};

type Spec<N extends Needs, P extends TObject | undefined, Q extends TObject | undefined, B extends TObject | undefined> = {
  readonly name: string;
  readonly summary: string;
  readonly method: Method;
  /** Below /api/v1, parameters as `:name`. */
  readonly path: string;
  readonly auth: N;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** It takes a file of one of these types, as it is, in place of JSON. */
  readonly bytes?: readonly string[];
  /** Status → schema of the body; null: without one. */
  readonly answers: Readonly<Record<number, TSchema | null>>;
  /** Besides those that every route may answer with. */
  readonly problems?: readonly ProblemCode[];
  /** Bytes of the body, where they may be more than usual. */
  readonly bodyLimit?: number;
  /** Takes an Idempotency-Key. */
  readonly idempotent?: boolean;
  /** Takes the header Millrace-Grant. */
  readonly byGrant?: boolean;
  /** Throws what keeps a file from being sent at all: asked before a byte of it is read, and before it takes a place that others may need. */
  readonly mayEnter?: (call: Pick<Call<N, P, Q, B>, 'who' | 'params'>) => Promise<unknown>;
  readonly handler: (call: Call<N, P, Q, B>) => Promise<Answer>;
};

export type RawCall = CallFacts & { readonly who: Who | null; readonly params: object; readonly query: object; readonly body: unknown };
/** A request that passed its checks. */
export type ReadyCall = { readonly body: unknown; run(): Promise<Answer> };

export type Route = Omit<Spec<Needs, TObject | undefined, TObject | undefined, TObject | undefined>, 'handler' | 'mayEnter'> & {
  /** Who and what it is about, before there is a body. Rejects with a Problem. */
  enter(call: Pick<RawCall, 'who' | 'params'>): Promise<void>;
  /** Checks the parts; throws a Problem. */
  check(call: RawCall): ReadyCall;
  /** What of the answer is not as documented; null: nothing. */
  wrongAnswer(answer: Answer): string | null;
};

const ranks: Record<Needs, number> = { none: 0, viewer: 1, creator: 2, admin: 3 };
export const mayCall = (needs: Needs, role: Role): boolean => ranks[role] >= ranks[needs];

const answerChecks = (answers: Spec<Needs, undefined, undefined, undefined>['answers']): ((answer: Answer) => string | null) => {
  const compiled = new Map(Object.entries(answers).map(([status, schema]) => [status, schema ? Compile(schema) : null]));
  return ({ status, body }) => {
    const check = compiled.get(String(status));
    if (check === undefined) return `status ${status} is not documented`;
    if (check === null) return body === undefined ? null : 'there should be no body';
    // As it goes over the wire: what JSON leaves out is not there.
    const sent: unknown = JSON.parse(JSON.stringify(body ?? null));
    return check.Check(sent) ? null : JSON.stringify(check.Errors(sent));
  };
};

export const route = <
  N extends Needs,
  P extends TObject | undefined = undefined,
  Q extends TObject | undefined = undefined,
  B extends TObject | undefined = undefined,
>(
  spec: Spec<N, P, Q, B>,
): Route => {
  const { handler, mayEnter, ...facts } = spec;
  const paramsFit = spec.params ? Compile(spec.params) : null;
  // What cannot be an id is the id of nothing.
  const mustFit = (params: object): void => {
    if (paramsFit && !paramsFit.Check(params)) throw notFound('thing');
  };
  const checkQuery = spec.query ? checker(spec.query, 'query') : null;
  const checkBody = spec.body ? checker(spec.body, 'body') : null;
  return {
    ...facts,
    wrongAnswer: answerChecks(spec.answers),
    async enter(raw) {
      if (!mayEnter) return;
      mustFit(raw.params);
      await mayEnter(raw as unknown as Pick<Call<N, P, Q, B>, 'who' | 'params'>);
    },
    check(raw) {
      mustFit(raw.params);
      const query: unknown = checkQuery && spec.query ? checkQuery(fromText(spec.query, raw.query)) : undefined;
      const body: unknown = checkBody ? checkBody(raw.body ?? {}) : undefined;
      const bytes = spec.bytes && Buffer.isBuffer(raw.body) ? raw.body : noBytes;
      const call = { ...raw, query, body, bytes } as unknown as Call<N, P, Q, B>;
      return { body, run: () => handler(call) };
    },
  };
};
