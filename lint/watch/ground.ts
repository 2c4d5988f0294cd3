/** What all watches of one run share: how to ask, the time, where to tell, when to stop. */
import type { Faults } from '../finding.ts';
import { headersOf, type Kind } from '../rules/headers.ts';
import type { Answer, Fetch, Time } from './answer.ts';
import type { Report } from './report.ts';
import { fault } from '../finding.ts';

export type Ground = {
  readonly fetch: Fetch;
  readonly time: Time;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** The digest of every segment by what it holds, when HLS and DASH of one stream are watched together. */
  readonly digests: SharedDigests | null;
};

const limits: Record<Kind, number> = {
  multivariant: 4 << 20,
  'live playlist': 32 << 20,
  'ended playlist': 32 << 20,
  'kept playlist': 32 << 20,
  init: 4 << 20,
  media: 256 << 20,
  captions: 8 << 20,
  transport: 256 << 20,
  manifest: 32 << 20,
  'ended manifest': 32 << 20,
  time: 64 << 10,
  error: 1 << 20,
};

/** Short names of addresses for people. */
export const nameOf = (url: string): string => {
  if (!URL.canParse(url)) return url.slice(0, 200);
  const { pathname, search } = new URL(url);
  return pathname.split('/').slice(-3).join('/') + search;
};

export type Asked = { readonly kind: Kind; readonly targetDuration?: number | null; readonly timeoutMs?: number; readonly signal?: AbortSignal; /** That it breaks off is no finding yet. */ readonly mayBreak?: boolean };

/** Asks, and judges what every answer must say of itself. Null: there is nothing to go on with, and it has been told. */
export const ask = async (ground: Ground, url: string, { kind, targetDuration = null, timeoutMs = 20_000, signal, mayBreak = false }: Asked): Promise<Answer | null> => {
  const answer = await ground.fetch(url, { timeoutMs, limit: limits[kind], signal: signal ?? ground.signal });
  if (ground.signal.aborted || signal?.aborted) return null;
  const { report } = ground;
  report.counts.answers += 1;
  report.counts.bytes += answer.wire;
  const tell = (faults: Faults): void => report.tell(nameOf(url), faults);
  if (mayBreak && (answer.trouble?.rule === 'http/unreachable' || answer.status === 503)) return null;
  tell(headersOf(answer, kind, targetDuration));
  if (answer.trouble) return null;
  if (kind !== 'error' && answer.status !== 200) {
    tell([fault('http/status', `the answer is ${answer.status}`)]);
    return null;
  }
  return answer;
};

const mostDigests = 4_000;

export type Form = 'HLS' | 'DASH';

type Seen = Readonly<Record<Form, Map<string, string>>>;

/**
 * By init segment and decode time: what HLS and DASH name in their own ways. Two tracks may have the same of both, and
 * which of them is meant is known when all have been looked at: it is judged at the end.
 */
export class SharedDigests {
  readonly #known = new Map<string, Seen>();
  readonly #tell: (where: string, faults: Faults) => void;

  constructor(tell: (where: string, faults: Faults) => void) {
    this.#tell = tell;
  }

  add(form: Form, key: string, digest: string, where: string): void {
    let known = this.#known.get(key);
    if (!known) this.#known.set(key, (known = { HLS: new Map(), DASH: new Map() }));
    known[form].set(digest, where);
    const [oldest] = this.#known;
    if (this.#known.size <= mostDigests || !oldest) return;
    this.#known.delete(oldest[0]);
    this.#judge(oldest[1]);
  }

  settle(): void {
    for (const seen of this.#known.values()) this.#judge(seen);
  }

  #judge({ HLS, DASH }: Seen): void {
    const [other] = HLS.values();
    // Fewer of them: one was not looked at.
    if (other === undefined || HLS.size < DASH.size) return;
    for (const [digest, where] of DASH) {
      if (!HLS.has(digest)) this.#tell(where, [fault('both/same-bytes', `other bytes than ${other} for the same media`)]);
    }
  }
}
