/**
 * Who may have a channel that somebody has already:
 *
 *     asked before the one that is there ──────────────────────────────────▶ no
 *     the same key from the same address: an encoder that is back ─────────▶ yes, at once
 *         … but the one that is there sends, and came in its own time ─────▶ no: these are two, and would take turns for ever
 *           by throwing out one that sent
 *     anybody else, when the one that is there is silent ──────────────────▶ yes
 *                   otherwise ─────────────────────────────────────────────▶ no
 */

type Encoder = { readonly address: string; readonly streamKeyId: string };

export type Claim = Encoder & { /** The desk's questions are counted. */ readonly asked: number };

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
/** A connection that is half open has been silent for so long before its encoder is back. */
const breath = 2_000;
/** From being let in to the first media: some encoders begin to encode only then, and look ahead for seconds. */
const start = 5_000;

const isLike = (one: Encoder, other: Encoder): boolean => one.address === other.address && one.streamKeyId === other.streamKeyId;

const sends = ({ sent, lastMedia }: Holder, now: number): boolean => now - lastMedia < (sent ? breath : start);

/** `silence`: after so long without media anybody may have the place. */
export const ruling = (holder: Holder, claim: Claim, now: number, silence: number): Ruling => {
  if (holder.asked > claim.asked) return 'busy';
  if (!isLike(holder, claim)) return now - holder.lastMedia >= silence ? 'free' : 'busy';
  return now < holder.contestedUntil && sends(holder, now) ? 'rival' : 'free';
};

/** How long the place of whoever comes now is contested; `ousted`: who had it. */
export const contestedBy = (ousted: Holder | null, comer: Encoder, now: number): number =>
  ousted && isLike(ousted, comer) && sends(ousted, now) ? now + soon : Number.NEGATIVE_INFINITY;

export const contestedAgain = (now: number): number => now + stubborn;
