/**
 * A frame of AAC that holds nothing: one element per channel (pair) with max_sfb = 0, so no band is coded and
 * every coefficient is zero (ISO 14496-3, 4.4.2.1). It fills tracks that were announced and stay silent.
 */
import type { AacConfig } from './aac-config.ts';
import { BitWriter } from './bits.ts';

type Element = 'single' | 'pair' | 'lfe';
const elementId = { single: 0, pair: 1, lfe: 3 } as const;
const endOfFrame = 7;

// Table 1.19, in the order in which a frame carries them.
const layouts: Readonly<Record<number, readonly Element[]>> = {
  1: ['single'],
  2: ['pair'],
  3: ['single', 'pair'],
  4: ['single', 'pair', 'single'],
  5: ['single', 'pair', 'pair'],
  6: ['single', 'pair', 'pair', 'lfe'],
  7: ['single', 'pair', 'pair', 'pair', 'lfe'],
};

/** Any value will do where nothing is scaled by it. */
const globalGain = 100;

/** ics_info: reserved bit, long window, sine shape, max_sfb 0, no prediction. */
const writeWindow = (out: BitWriter): BitWriter => out.bits(0, 1 + 2 + 1 + 6 + 1);
/** No pulses, no noise shaping, no gain control. */
const writeTools = (out: BitWriter): BitWriter => out.bits(0, 3);

const writeElement = (out: BitWriter, element: Element, tag: number): void => {
  out.bits(elementId[element], 3).bits(tag, 4);
  if (element === 'pair') {
    writeWindow(out.bits(1, 1)).bits(0, 2); // common_window; no mid/side
    writeTools(out.bits(globalGain, 8));
    writeTools(out.bits(globalGain, 8));
    return;
  }
  writeTools(writeWindow(out.bits(globalGain, 8)));
};

/** Null where no frame is known to be understood by decoders: other object types than LC, own channel layouts. */
export const silentAacFrame = (config: AacConfig): Buffer | null => {
  const layout = layouts[config.channelConfiguration];
  if (!layout || config.objectType !== 2) return null;
  const out = new BitWriter();
  const used: Record<Element, number> = { single: 0, pair: 0, lfe: 0 };
  for (const element of layout) {
    writeElement(out, element, used[element]);
    used[element] += 1;
  }
  return out.bits(endOfFrame, 3).bytes();
};
