/** The cover of whatever has no picture yet: lines of water whose shape follows from its name, the same everywhere. */
export type Wheel = { readonly x: number; readonly y: number; readonly size: number };
export type Wave = { readonly path: string; readonly shade: 1 | 2 };

const seedOf = (text: string): number => {
  let hash = 2166136261; // FNV-1a
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619);
  return hash >>> 0;
};

const partOf = (seed: number, shift: number, most: number): number => ((seed >>> shift) & 0xff) % most;

/** The wheel over the water, as a moon would stand; on the left are badges. */
export const wheelOf = (name: string): Wheel => {
  const seed = seedOf(`${name} wheel`);
  return { x: 140 + partOf(seed, 0, 140), y: 40 + partOf(seed, 8, 34), size: 18 + partOf(seed, 16, 26) };
};

/** Drawn in a box of 320 × 180. */
export const wavesOf = (name: string): readonly Wave[] => {
  const seed = seedOf(name);
  const part = (shift: number, most: number): number => partOf(seed, shift, most);
  const height = 10 + part(0, 16);
  const length = 90 + part(8, 70);
  const lean = part(16, 40) - 20;
  return Array.from({ length: 5 }, (_, line) => {
    const y = 58 + line * 26;
    const start = -length + ((part(24, 90) + line * 37) % length);
    const rise = height * (1 - line * 0.12);
    let path = `M${start} ${y}`;
    for (let x = start; x < 320 + length; x += length) {
      path += ` q${length / 4} ${-rise} ${length / 2} ${lean * 0.1} t${length / 2} ${-lean * 0.1}`;
    }
    return { path: `${path} V200 H${start} Z`, shade: line % 2 === 0 ? 1 : 2 } as const;
  });
};
