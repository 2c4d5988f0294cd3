/**
 * The core budget: who may keep how many cores busy with encoding. Live comes before VOD: it may take what VOD
 * holds, and whoever holds that is asked to stop. The machine's last quarter core is the server's own.
 */

export type CoreAsk = {
  readonly rank: 'live' | 'vod';
  /** Cores that the work keeps busy, measured or estimated; fractions count. */
  readonly cores: number;
  /** For people: what it is. */
  readonly name: string;
  /** Somebody more important needs the cores: stop and release soon. Called at most once. */
  readonly yield: () => void;
};

export interface CoreLease {
  readonly ask: CoreAsk;
  /** That are held now. */
  readonly cores: number;
  /** The work turned out to cost more or less. False: that much is not there, and the lease stays as it was. */
  resize(cores: number): boolean;
  release(): void;
}

export interface CoreBudget {
  readonly total: number;
  readonly free: number;
  readonly leases: readonly CoreLease[];
  /** Null: not now. */
  take(ask: CoreAsk): CoreLease | null;
  /** Called whenever cores become free. Returns the way to stop. */
  onFree(listener: () => void): () => void;
}

const OWN_SHARE = 0.25;

type Held = { ask: CoreAsk; cores: number; yielding: boolean };

export const createCoreBudget = (cores: number): CoreBudget => {
  const total = Math.max(0, cores - OWN_SHARE);
  const held = new Map<CoreLease, Held>();
  const listeners = new Set<() => void>();
  const sum = (counts: (one: Held) => boolean): number => [...held.values()].filter(counts).reduce((all, one) => all + one.cores, 0);
  const free = (): number => total - sum(() => true);

  /** What live may use: cores held by VOD count as free, and are asked back. */
  const makeRoom = (wanted: number): boolean => {
    if (total - sum(({ ask }) => ask.rank === 'live') < wanted) return false;
    let missing = wanted - free() - sum(({ yielding }) => yielding);
    // The youngest first: it has the least to lose.
    for (const one of [...held.values()].reverse()) {
      if (missing <= 0) break;
      if (one.ask.rank !== 'vod' || one.yielding) continue;
      one.yielding = true;
      missing -= one.cores;
      one.ask.yield();
    }
    return true;
  };
  const fits = (rank: CoreAsk['rank'], wanted: number): boolean => (rank === 'live' ? makeRoom(wanted) : wanted <= free());

  return {
    total,
    get free() {
      return Math.max(0, free());
    },
    get leases() {
      return [...held.keys()];
    },
    take(ask) {
      if (!(ask.cores > 0) || !fits(ask.rank, ask.cores)) return null;
      const lease: CoreLease = {
        ask,
        get cores() {
          return held.get(lease)?.cores ?? 0;
        },
        resize(wanted) {
          const mine = held.get(lease);
          if (!mine || !(wanted > 0) || (wanted > mine.cores && !fits(ask.rank, wanted - mine.cores))) return false;
          mine.cores = wanted;
          return true;
        },
        release() {
          if (!held.delete(lease)) return;
          for (const listener of listeners) listener();
        },
      };
      held.set(lease, { ask, cores: ask.cores, yielding: false });
      return lease;
    },
    onFree(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
