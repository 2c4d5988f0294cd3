import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const css = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8');
const blocks = css.split(/^:root/m).slice(1);
const coloursOf = (block: string): Map<string, string> =>
  new Map([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map((match) => [match[1] ?? '', match[2] ?? '']));

const dark = coloursOf(blocks[0] ?? '');
const light = new Map([...dark, ...coloursOf(blocks[1] ?? '')]);

/** WCAG 2.2, relative luminance and contrast ratio. */
const luminance = (hex: string): number => {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (one: string, other: string): number => {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};

const surfaces = ['ground', 'surface', 'raised', 'sunken'];
const texts = ['text', 'text-soft', 'text-faint', 'accent-text', 'danger-text', 'good-text', 'warn-text'];
const pairs: readonly (readonly [string, string, number])[] = [
  ...texts.flatMap((text) => surfaces.map((surface) => [text, surface, 4.5] as const)),
  ['on-accent', 'accent', 4.5],
  ['on-accent', 'accent-strong', 4.5],
  ['on-live', 'live', 4.5],
  ['on-danger', 'danger', 4.5],
  ['accent-text', 'accent-wash', 4.5],
  ['warn-text', 'warn-wash', 4.5],
  ['danger-text', 'danger-wash', 4.5],
  ['ground', 'text', 4.5],
  // Borders of fields and the focus ring are told from what they stand on.
  ...surfaces.flatMap((surface) => [['line-strong', surface, 3] as const, ['accent', surface, 3] as const]),
];

for (const [theme, colours] of [
  ['dark', dark],
  ['light', light],
] as const) {
  t.test(`every text can be read in the ${theme} theme`, async (t) => {
    for (const [front, back, least] of pairs) {
      const ratio = contrast(colours.get(front) ?? '#000000', colours.get(back) ?? '#000000');
      t.ok(ratio >= least, `${front} on ${back}: ${ratio.toFixed(2)}`);
    }
  });
}
