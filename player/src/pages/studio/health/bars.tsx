/** Numbers over time as a row of bars, with the same in words for whoever does not see them. */
import type { ComponentChildren } from 'preact';

type BarsProps = {
  name: string;
  /** What it is now, or on average. */
  value: ComponentChildren;
  numbers: readonly number[];
  /** The whole of it in a sentence. */
  text: string;
  from?: string;
  to?: string;
};

const height = 40;
const step = 10;
const width = 8;
/** A few bars are no wider than many. */
const fewest = 24;

/** Of what came: the seconds before the first one say nothing. */
export const spread = (numbers: readonly number[]): { readonly least: number; readonly most: number; readonly average: number } => {
  const came = numbers.slice(numbers.findIndex((number) => number > 0));
  if (came.length === 0 || numbers.every((number) => number === 0)) return { least: 0, most: 0, average: 0 };
  return { least: Math.min(...came), most: Math.max(...came), average: came.reduce((sum, number) => sum + number, 0) / came.length };
};

export const Bars = ({ name, value, numbers, text, from, to }: BarsProps) => {
  const most = Math.max(1e-9, ...numbers) * 1.05;
  const bars = numbers.map((number, at) => {
    const tall = (number / most) * height;
    return `M${at * step} ${height}v${-tall.toFixed(2)}h${width}V${height}z`;
  });
  return (
    <figure class="bars">
      <figcaption>
        <span>{name}</span>
        <strong>{value}</strong>
      </figcaption>
      <svg viewBox={`0 0 ${Math.max(fewest, numbers.length) * step} ${height}`} preserveAspectRatio="none" role="img" aria-label={text}>
        <path d={bars.join('')} />
      </svg>
      {from !== undefined && (
        <p class="small soft ends" aria-hidden="true">
          <span>{from}</span>
          <span>{to}</span>
        </p>
      )}
    </figure>
  );
};
