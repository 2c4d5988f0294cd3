/**
 * The server's clock, as seen from here: phones and desktops are seconds off, and the latency of a show is a
 * difference between a date that the server wrote and now.
 *
 * `GET /play/time` answers the date in the middle of its way: the offset is right to half of the round trip, so the
 * quickest of a few is taken. Without that address the Date header of any answer tells it to a second.
 */
export type Sample = {
  /** This machine's clock in ms, before and after. */
  readonly sent: number;
  readonly received: number;
  /** What the server said, in ms since 1970, and how far it may be off by its own rounding. */
  readonly server: number;
  readonly coarse: number;
};

/** What to add to this machine's clock; null where nothing has been heard. */
export const offsetOf = (samples: readonly Sample[]): number | null => {
  const uncertainty = ({ sent, received, coarse }: Sample): number => (received - sent) / 2 + coarse;
  const [best] = [...samples].sort((a, b) => uncertainty(a) - uncertainty(b));
  return best ? best.server + best.coarse - (best.sent + best.received) / 2 : null;
};

export const readSample = (sent: number, received: number, text: string | null, dateHeader: string | null): Sample | null => {
  const exact = text === null || text.length > 40 ? NaN : Date.parse(text.trim());
  if (Number.isFinite(exact)) return { sent, received, server: exact, coarse: 0 };
  // A header has whole seconds: on average it is half of one old.
  const header = dateHeader === null ? NaN : Date.parse(dateHeader);
  return Number.isFinite(header) ? { sent, received, server: header, coarse: 500 } : null;
};

const tries = 3;
/** A clock that drifts by 50 ppm is 30 ms off after this long. */
const measureEvery = 600_000;

let offset: number | null = null;
let measuredAt = -Infinity;

const ask = async (): Promise<Sample | null> => {
  try {
    const sent = Date.now();
    const response = await fetch('/play/time', { cache: 'no-store', credentials: 'omit' });
    const received = Date.now();
    return readSample(sent, received, response.ok ? await response.text() : null, response.headers.get('date'));
  } catch {
    return null; // unreachable now: the next measure tries again
  }
};

/** Measures when it is time to; a viewing calls it as often as it likes. */
export const keepServerTime = async (): Promise<void> => {
  const now = performance.now();
  if (now - measuredAt < (offset === null ? 10_000 : measureEvery)) return;
  measuredAt = now;
  const samples: Sample[] = [];
  for (let n = 0; n < tries; n++) {
    const sample = await ask();
    if (sample) samples.push(sample);
  }
  offset = offsetOf(samples) ?? offset;
};

/** The server's now in ms since 1970; null before it has been measured. */
export const serverNow = (): number | null => (offset === null ? null : Date.now() + offset);
