/**
 * What pictures of a video are called below it. What is behind such a name may become another picture: addresses carry
 * its version behind a question mark.
 */
export const ownPosterName = 'poster.jpg';
export const storyboardName = 'storyboard.vtt';
export const previewName = 'preview.webp';
const chaptersName = 'chapters.vtt';

/** Of the posters that can be chosen from, counted from 0. */
export const posterName = (index: number): string => `poster-${index}.jpg`;
/** Small pictures side by side, named by the storyboard. */
export const sheetName = (index: number): string => `storyboard-${index}.jpg`;

export type PictureName =
  | { readonly kind: 'poster'; /** Null: the one that is shown. */ readonly index: number | null }
  | { readonly kind: 'storyboard' }
  | { readonly kind: 'sheet'; readonly index: number }
  | { readonly kind: 'preview' }
  | { readonly kind: 'chapters' };

const plain: { readonly [name: string]: PictureName } = {
  [ownPosterName]: { kind: 'poster', index: null },
  [storyboardName]: { kind: 'storyboard' },
  [previewName]: { kind: 'preview' },
  [chaptersName]: { kind: 'chapters' },
};
const numbered = /^(poster|storyboard)-(0|[1-9]\d?)\.jpg$/;

export const parsePictureName = (name: string): PictureName | null => {
  if (Object.hasOwn(plain, name)) return plain[name] ?? null;
  const [, of, index] = numbered.exec(name) ?? [];
  if (of === undefined) return null;
  return { kind: of === 'poster' ? 'poster' : 'sheet', index: Number(index) };
};
