/**
 * The size that a viewer has chosen, where it cannot be had for a while: its encoder is being begun anew, and what it owes
 * is a hole. hls.js plays another size then, and gives the choice up for good. Here it is kept: it is what the menu
 * says, and it is tried again, later and later where it still fails.
 *
 * No hls.js and no clock: `player` is told what to do, `later` runs something after so many ms and gives its undoing.
 */
export type SizePlayer = {
  /** It chooses by itself, or has come to. */
  readonly isFree: () => boolean;
  /** From what is loaded next on. */
  readonly play: (level: number) => void;
};

export type KeptChoice = {
  readonly level: () => number | null;
  /** Null: by itself. */
  readonly choose: (level: number | null) => void;
  /** Something could not be had. */
  readonly failed: () => void;
  /** Media of this size is here. */
  readonly came: (level: number) => void;
  readonly rest: () => void;
};

const again = { first: 4_000, most: 60_000 } as const;

export const keptChoice = (player: SizePlayer, later: (ms: number, run: () => void) => () => void): KeptChoice => {
  let chosen: number | null = null;
  let wait: number = again.first;
  let cancel: (() => void) | null = null;
  const rest = (): void => {
    cancel?.();
    cancel = null;
  };
  const failed = (): void => {
    if (chosen === null || cancel || !player.isFree()) return;
    cancel = later(wait, () => {
      cancel = null;
      if (chosen !== null) player.play(chosen);
    });
    wait = Math.min(2 * wait, again.most);
  };
  return {
    level: () => chosen,
    choose(level) {
      rest();
      chosen = level;
      wait = again.first;
    },
    failed,
    came(level) {
      if (level === chosen && !player.isFree()) wait = again.first;
    },
    rest,
  };
};
