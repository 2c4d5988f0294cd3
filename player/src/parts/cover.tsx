/** Drawn water for what has no picture yet. */
import { wavesOf, wheelOf } from '../lib/waves.ts';

export const Water = ({ name }: { name: string }) => {
  const wheel = wheelOf(name);
  return (
    <svg viewBox="0 0 320 180" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <rect width="320" height="180" fill="var(--water-3)" />
      <circle
        cx={wheel.x}
        cy={wheel.y}
        r={wheel.size}
        fill="none"
        stroke="var(--water-1)"
        stroke-width={wheel.size / 2.5}
      />
      {wavesOf(name).map((wave, line) => (
        <path key={line} d={wave.path} fill={`var(--water-${wave.shade})`} opacity={0.72} />
      ))}
    </svg>
  );
};
