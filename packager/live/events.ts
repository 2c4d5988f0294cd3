/**
 * The events of a run: kept in memory for manifests, written into the log as emsg boxes, and read back out of it when
 * the log is opened again. Bounded: whoever sends for ever loses the oldest, and the media has them all.
 */
import { CmafError } from '../cmaf/cmaf-error.ts';
import { emsgBox, emsgScheme, fragmentLead, type Emsg } from '../cmaf/emsg.ts';
import { LogError, type TrackLogReader } from '../log/types.ts';
import type { EventScheme } from '../media/event.ts';
import { MICROS, rescale } from '../media/wire-time.ts';
import type { TimedEvent } from '../snapshot.ts';

/** Kept of a show, and read back. */
export const mostEvents = 10_000;
const mostBytes = 16 * 1024 * 1024;
/** Waiting for a fragment: pictures may stop for minutes while whoever sends them talks on. */
const mostWaiting = 256;
const mostWaitingBytes = 1024 * 1024;
/** Holds the events of nearly every fragment that has any. */
const usualHead = 8 * 1024;
const readsAtOnce = 16;

/** An event that has its place in media time and waits for a fragment to travel with. */
export type PlacedEvent = {
  readonly scheme: EventScheme;
  readonly micros: number;
  readonly durationMicros: number | null;
  readonly data: Buffer;
};

/** Where a fragment with events lies. */
export type EventPlace = { readonly seq: number; readonly msn: number; readonly epoch: number };

export class RunEvents {
  #list: readonly TimedEvent[] = [];
  #bytes = 0;
  #lastId = 0;
  #waiting: { readonly id: number; readonly event: PlacedEvent }[] = [];
  #waitingBytes = 0;

  get list(): readonly TimedEvent[] {
    return this.#list;
  }

  /** It travels with the fragment that comes next. False: too much is waiting for that already. */
  announce(event: PlacedEvent): boolean {
    if (this.#waiting.length >= mostWaiting || this.#waitingBytes + event.data.length > mostWaitingBytes) return false;
    this.#lastId += 1;
    this.#waiting.push({ id: this.#lastId, event });
    this.#waitingBytes += event.data.length;
    return true;
  }

  /** The boxes to put ahead of a fragment; `written` tells where it lies once it does. Null: nothing has been announced. */
  take(timescale: number): { readonly boxes: readonly Buffer[]; readonly written: (place: Omit<EventPlace, 'seq'>) => void } | null {
    if (this.#waiting.length === 0) return null;
    const taken = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    const boxes = taken.map(({ id, event: { scheme, micros, durationMicros, data } }) => {
      const duration = durationMicros === null ? null : rescale(durationMicros, MICROS, timescale);
      return emsgBox({ scheme: emsgScheme[scheme], timescale, time: rescale(micros, MICROS, timescale), duration, id, data });
    });
    return { boxes, written: (place) => this.#add(taken.map(({ id, event }) => ({ ...event, ...place, id: String(id) }))) };
  }

  /** What a log says that was opened again. */
  restore(events: readonly TimedEvent[]): void {
    this.#lastId = events.reduce((most, { id }) => Math.max(most, Number(id)), this.#lastId);
    this.#add(events);
  }

  #add(events: readonly TimedEvent[]): void {
    const list = [...this.#list, ...events];
    this.#bytes += bytesOf(events);
    let from = 0;
    for (; list.length - from > mostEvents || this.#bytes > mostBytes; from += 1) this.#bytes -= list[from]?.data.length ?? 0;
    this.#list = from > 0 ? list.slice(from) : list;
  }
}

const bytesOf = (events: readonly TimedEvent[]): number => events.reduce((sum, { data }) => sum + data.length, 0);

type EventSource = Pick<TrackLogReader, 'readHeads' | 'readChecked'>;

/** The events of these fragments, read from their heads. What is damaged is left out. */
export const storedEvents = async (log: EventSource, places: readonly EventPlace[]): Promise<TimedEvent[]> => {
  const events: TimedEvent[] = [];
  const kept = places.slice(-mostEvents);
  for (let at = 0; at < kept.length; at += readsAtOnce) {
    const some = kept.slice(at, at + readsAtOnce);
    const leads = await Promise.all(some.map(({ seq }) => leadOf(log, seq)));
    for (const [index, place] of some.entries()) events.push(...(leads[index] ?? []).flatMap((emsg) => timedEvent(emsg, place) ?? []));
  }
  return events;
};

const leadOf = async (log: EventSource, seq: number): Promise<readonly Emsg[]> => {
  try {
    const [head] = await log.readHeads(seq, seq + 1, usualHead);
    const short = head && fragmentLead(head);
    if (short) return short.events;
    const [whole] = await log.readChecked(seq, seq + 1);
    return (whole && fragmentLead(whole)?.events) ?? [];
  } catch (error) {
    // Media that is damaged or gone has lost its events, and nothing else is wrong.
    if (error instanceof CmafError || (error instanceof LogError && (error.code === 'corrupt' || error.code === 'gone'))) return [];
    throw error;
  }
};

const timedEvent = ({ scheme, timescale, time, duration, id, data }: Emsg, { msn, epoch }: EventPlace): TimedEvent | null => {
  const known = scheme === emsgScheme.id3 ? 'id3' : scheme === emsgScheme.scte35 ? 'scte35' : null;
  if (known === null) return null;
  const durationMicros = duration === null ? null : rescale(duration, timescale, MICROS);
  return { id: String(id), scheme: known, epoch, msn, micros: rescale(time, timescale, MICROS), durationMicros, data };
};
