/**
 * The live picture of a card. One address, which is another picture every few seconds: kept for no longer than that, and asked for
 * by pages with its version behind a question mark, so that they fetch each once.
 */
import type { Exchange } from './exchange.ts';
import { cacheControl, common } from './headers.ts';
import type { LivePictureSource } from './presentation.ts';
import { problems } from './problem.ts';

const keptForSeconds = 5;

export const giveLivePicture = (exchange: Exchange, picture: ReturnType<LivePictureSource['of']>): void => {
  if (!picture) return exchange.problem(problems.noPicture);
  const { bytes, height, version } = picture;
  if (exchange.maxHeight !== null && height > exchange.maxHeight) return exchange.problem(problems.height);
  const etag = `"${version}"`;
  const keep = cacheControl.for(exchange.shared, keptForSeconds);
  if (exchange.unchanged(etag, keep)) return;
  exchange.text(bytes, [...common, 'Content-Type', 'image/jpeg', 'Content-Length', String(bytes.length), 'ETag', etag, 'Cache-Control', keep]);
};
