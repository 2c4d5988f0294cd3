/**
 * Who may have a channel that somebody has already:
 *
 *     asked before the one that is there ──────────────────────────────────▶ no
 *     the one that is there is silent ─────────────────────────────────────▶ yes, whoever comes
 *     the same key from the same address: an encoder that is back ─────────▶ yes, at once
 *         … but the one that is there sends, and came in its own time ─────▶ no: these are two, and would take turns for ever
 *           by throwing out one that sent
 *     anybody else ────────────────────────────────────────────────────────▶ no
 */

export type Claim = { readonly address: string; readonly streamKeyId: string; /** The desk's questions are counted. */ readonly asked: number };

export type Holder = Claim & {
  /** Monotonic ms of its last media, or of its coming. */
  readonly lastMedia: number;
  /** Whether any media came. */
  readonly sent: boolean;
  /** Until then its place is contested: whoever comes with its key from its address is another encoder. */
  readonly contestedUntil: number;
};

export type Ruling = 'free' | 'busy' | 'rival';

/** An encoder that was thrown out is back within seconds, if it is one that comes back. */
const soon = 30_000;
/** Once it has come back and was refused, it comes for as long as it is on: OBS waits half as long again each time, up to 15 min. */
const stubborn = 20 * 60_000;

export const ruling = (holder: Holder, claim: Claim, now: number, silence: number): Ruling => {
  if (holder.asked > claim.asked) return 'busy';
  if (now - holder.lastMedia >= silence) return 'free';
  if (holder.address !== claim.address || holder.streamKeyId !== claim.streamKeyId) return 'busy';
  return holder.sent && now < holder.contestedUntil ? 'rival' : 'free';
};

/** How long the place of whoever comes now is contested; `ousted`: who had it. */
export const contestedBy = (ousted: Holder | null, now: number, silence: number): number =>
  ousted?.sent && now - ousted.lastMedia < silence ? now + soon : Number.NEGATIVE_INFINITY;

export const contestedAgain = (now: number): number => now + stubborn;
