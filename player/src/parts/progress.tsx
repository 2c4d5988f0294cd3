/** How far something is. Without a share nobody knows, and the bar only says that it moves. */
type Props = {
  label: string;
  /** 0 to 1. */
  share: number | null;
  /** The same in words, for whoever listens. */
  words?: string;
  /** Nothing moves: paused, waiting, stopped. */
  still?: boolean;
};

export const Progress = ({ label, share, words, still }: Props) => (
  <div
    class={`progress ${share === null ? 'unknown' : ''} ${still ? 'still' : ''}`}
    role="progressbar"
    aria-label={label}
    aria-valuemin={0}
    aria-valuemax={100}
    aria-valuenow={share === null ? undefined : Math.floor(share * 100)}
    aria-valuetext={words}
  >
    <div style={share === null ? {} : { width: `${(Math.min(1, Math.max(0, share)) * 100).toFixed(2)}%` }} />
  </div>
);
