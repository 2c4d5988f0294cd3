/** The small picture over the time bar of a page, in a film that has another colour every so often: which of them is seen. */
import type { Locator, Page } from 'playwright-core';

export const colours = [
  ['red', [254, 0, 0]],
  ['green', [0, 128, 0]],
  ['blue', [0, 0, 254]],
  ['yellow', [254, 254, 0]],
] as const;

export const bar = (page: Page): Locator => page.getByRole('slider', { name: 'Time in the video' }).or(page.getByRole('slider', { name: '영상 시간' }));

/** The colour in the middle of the small picture that is seen. */
export const colourSeen = async (page: Page): Promise<string> => {
  const pixel = await page.locator('.time-bar .cell').evaluate((cell) => {
    type Box = { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
    type Element = { readonly firstElementChild: Element; readonly ownerDocument: Page_; getBoundingClientRect(): Box; readonly naturalWidth: number; readonly complete: boolean };
    type Context = { drawImage(image: unknown, x: number, y: number, w: number, h: number, dx: number, dy: number, dw: number, dh: number): void; getImageData(x: number, y: number, w: number, h: number): { data: Iterable<number> } };
    type Page_ = { createElement(name: 'canvas'): { getContext(kind: '2d'): Context } };
    const image = (cell as unknown as Element).firstElementChild;
    const [outer, inner] = [(cell as unknown as Element).getBoundingClientRect(), image.getBoundingClientRect()];
    const scale = image.naturalWidth / inner.width;
    const context = image.ownerDocument.createElement('canvas').getContext('2d');
    if (!image.complete || image.naturalWidth === 0) return [];
    context.drawImage(image, (outer.left - inner.left + outer.width / 2) * scale, (outer.top - inner.top + outer.height / 2) * scale, 1, 1, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  });
  const far = (colour: readonly number[]): number => (pixel.length === 0 ? 999 : Math.max(...colour.map((value, at) => Math.abs(value - (pixel[at] ?? 0)))));
  return colours.find(([, colour]) => far(colour) < 60)?.[0] ?? `none of them: ${pixel.join(' ')}`;
};

export const hover = async (page: Page, share: number): Promise<void> => {
  const box = await bar(page).boundingBox();
  if (!box) throw new Error('There is no bar.');
  await page.mouse.move(box.x + box.width * share, box.y + box.height / 2);
};
