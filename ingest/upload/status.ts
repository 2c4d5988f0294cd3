/** Where an upload stands, and its end. */
import type { UploadVerdict } from './desk.ts';
import type { Edge } from './edge.ts';
import type { Exchange } from './exchange.ts';
import { unit } from './limits.ts';
import type { Originals } from './originals.ts';
import { problems } from './problems.ts';

type Accepted = Exclude<UploadVerdict, { kind: 'refused' }>;

/** Of what is whole nobody knows any more in which parts it came. */
const usualPart = 8 * 2 ** 20;

export const giveStatus = async (originals: Originals, exchange: Exchange, verdict: Accepted, mostRanges: number): Promise<void> => {
  const expires = (at: number): string => new Date(at).toISOString();
  if (verdict.kind === 'whole') {
    const { size, expiresAt } = verdict;
    const landed = size > 0 ? [[0, size]] : [];
    return exchange.json(200, { size, unit, partSize: usualPart, received: size, mode: null, landed, whole: true, expiresAt: expires(expiresAt) });
  }
  const { upload } = verdict;
  const { size, partSize, expiresAt } = upload;
  const now = await originals.use(upload, async ({ landed, mode }) => ({ received: landed.bytes, mode, landed: landed.ranges(mostRanges) }));
  exchange.json(200, { size, unit, partSize, ...now, whole: false, expiresAt: expires(expiresAt) });
};

export const postFinish = async (edge: Edge, exchange: Exchange, verdict: Accepted): Promise<void> => {
  const id = verdict.kind === 'open' ? verdict.upload.id : verdict.id;
  const missing = verdict.kind === 'open' ? await edge.finish(verdict.upload) : [];
  if (missing.length > 0) exchange.problem(problems.missing(missing));
  else exchange.json(200, { whole: true, video: id });
};
