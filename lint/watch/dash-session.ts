/** One DASH presentation: the manifest again and again, its clock, and the media of every representation. */
import { fault, type Fault } from '../finding.ts';
import { readDate } from '../read/dates.ts';
import { readMpd, type Mpd } from '../read/mpd.ts';
import { headersOf } from '../rules/headers.ts';
import { mpdAlone, mpdNext } from '../rules/manifest.ts';
import { ask, nameOf, type Ground } from './ground.ts';
import { RepresentationWatch } from './representation-watch.ts';

const clockEveryMs = 30_000;
const clockSlackMs = 2_000;
const mostFailures = 5;
const mostWatches = 256;

export class DashSession {
  readonly #ground: Ground;
  readonly #first: string;
  #url: string;
  #mpd: Mpd | null = null;
  #failures = 0;
  #clockAt = Number.NEGATIVE_INFINITY;
  readonly #watches = new Map<string, RepresentationWatch>();

  constructor(ground: Ground, url: string) {
    this.#ground = ground;
    this.#first = url;
    this.#url = url;
  }

  #tell(faults: Iterable<Fault>): void {
    this.#ground.report.tell(nameOf(this.#first), faults);
  }

  async run(): Promise<void> {
    const { signal, time } = this.#ground;
    while (!signal.aborted && this.#failures < mostFailures) {
      const ended = this.#mpd?.type === 'static';
      if (!(await this.#read())) this.#failures += 1;
      if (ended || (this.#mpd?.type === 'static' && this.#mpd.periods.length === 0)) break;
      await this.#clock();
      // 5.3.1.2: a manifest is good for so long. Without it, it will not be another.
      const seconds = this.#mpd?.type === 'static' ? 0.5 : (this.#mpd?.minimumUpdatePeriod ?? 2);
      await time.sleep(1000 * Math.min(Math.max(seconds, 0.5), 10), signal);
    }
    await Promise.all([...this.#watches.values()].map(({ idle }) => idle));
  }

  async #read(): Promise<boolean> {
    const answer = await ask(this.#ground, this.#url, { kind: 'ended manifest' });
    if (!answer) return false;
    const { mpd, faults } = readMpd(answer.body.toString('utf8'));
    if (!mpd) {
      this.#tell(faults);
      return false;
    }
    // Whether it may be kept is known only now.
    if (mpd.type === 'dynamic') this.#ground.report.tell(nameOf(answer.url), headersOf(answer, 'manifest', null));
    this.#ground.report.counts.manifests += 1;
    this.#failures = 0;
    this.#tell(mpdAlone(mpd));
    if (this.#mpd) this.#tell(mpdNext(this.#mpd, mpd));
    this.#mpd = mpd;
    if (mpd.location !== null && URL.canParse(mpd.location, answer.url)) this.#url = new URL(mpd.location, answer.url).href;
    this.#media(mpd, answer.url);
    return true;
  }

  #media(mpd: Mpd, url: string): void {
    for (const period of mpd.periods) {
      for (const one of period.representations) {
        const key = `${period.id ?? period.start} ${one.key}`;
        let watch = this.#watches.get(key);
        if (!watch) {
          if (this.#watches.size >= mostWatches) this.#watches.delete(this.#watches.keys().next().value ?? '');
          this.#watches.set(key, (watch = new RepresentationWatch(this.#ground, nameOf(this.#first))));
        }
        const base = [...mpd.base, ...one.base].reduce((at, next) => (URL.canParse(next, at) ? new URL(next, at).href : at), url);
        watch.take(mpd, period, one, base, period === mpd.periods.at(-1));
      }
    }
  }

  /** Players set their clock by it: what it says is where they take the live edge to be. */
  async #clock(): Promise<void> {
    const { time, signal } = this.#ground;
    const clock = this.#mpd?.clocks[0];
    if (!clock || this.#mpd?.type !== 'dynamic' || time.now() - this.#clockAt < clockEveryMs || signal.aborted) return;
    this.#clockAt = time.now();
    if (clock.scheme.includes(':direct:')) return this.#judgeClock(clock.value);
    if (!/:http-(?:iso|xsdate):/.test(clock.scheme)) return;
    const url = URL.canParse(clock.value, this.#url) ? new URL(clock.value, this.#url).href : clock.value;
    const answer = await ask(this.#ground, url, { kind: 'time' });
    if (answer) this.#judgeClock(answer.body.toString('utf8').trim());
  }

  #judgeClock(text: string): void {
    const date = readDate(text);
    const off = date === null ? null : date - this.#ground.time.wall();
    if (off === null) this.#tell([fault('dash/clock', `the clock says "${text.slice(0, 40)}"`)]);
    else if (Math.abs(off) > clockSlackMs) this.#tell([fault('dash/clock', `the clock is ${(off / 1000).toFixed(1)} s off this one`)]);
  }
}
