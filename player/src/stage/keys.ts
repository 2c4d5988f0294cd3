/** The keys that every video site has taught people. Pure: a key press in, what to do out. */
export type KeyAction =
  | { readonly do: 'toggle' | 'mute' | 'fullscreen' | 'captions' | 'live' | 'start' }
  | { readonly do: 'seek'; readonly by: number }
  | { readonly do: 'volume'; readonly by: number }
  | { readonly do: 'part'; readonly of: number };

export type Press = {
  readonly key: string;
  readonly code: string;
  /** An input method is composing: the press belongs to it (Korean, Japanese, Chinese). */
  readonly isComposing: boolean;
  readonly keyCode: number;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
};

/** By place on the keyboard and not by letter: with a Korean layout K gives ㅏ. */
const byCode: Readonly<Record<string, KeyAction>> = {
  KeyK: { do: 'toggle' },
  KeyM: { do: 'mute' },
  KeyF: { do: 'fullscreen' },
  KeyC: { do: 'captions' },
  KeyJ: { do: 'seek', by: -10 },
  KeyL: { do: 'seek', by: 10 },
};

const byKey: Readonly<Record<string, KeyAction>> = {
  ' ': { do: 'toggle' },
  ArrowLeft: { do: 'seek', by: -5 },
  ArrowRight: { do: 'seek', by: 5 },
  ArrowUp: { do: 'volume', by: 0.05 },
  ArrowDown: { do: 'volume', by: -0.05 },
  Home: { do: 'start' },
  End: { do: 'live' },
};

/** Arrows and space belong to whatever has the focus; letters belong to the player anywhere but in a field. */
export type Focus = 'field' | 'control' | 'page' | 'stage';

export const actionOf = (press: Press, focus: Focus): KeyAction | null => {
  // 229: some browsers report composing only like this.
  if (press.isComposing || press.keyCode === 229 || focus === 'field') return null;
  if (press.ctrlKey || press.metaKey || press.altKey) return null;
  const letter = Object.hasOwn(byCode, press.code) ? byCode[press.code] : undefined;
  if (letter) return letter;
  if (focus === 'control') return null;
  if (/^[0-9]$/.test(press.key)) return { do: 'part', of: Number(press.key) / 10 };
  // The page scrolls by arrows, Home and End: they are the player's only on the stage.
  if (focus === 'page' && press.key !== ' ') return null;
  return Object.hasOwn(byKey, press.key) ? (byKey[press.key] ?? null) : null;
};
