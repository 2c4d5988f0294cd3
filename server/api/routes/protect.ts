/** Changing how a video is protected that is there already: what is refused, and why. */
import type { Protection } from '../../catalog/schema.ts';
import type { VideoRow } from '../../catalog/videos.ts';
import { cbcsCarries } from '../../delivery/cbcs-view.ts';
import { Problem, type ProblemCode } from '../kit/problem.ts';
import type { Ground } from './ground.ts';

const refuse = (code: ProblemCode, detail: string): Problem => new Problem(code, detail, { errors: [{ field: 'protection', detail }] });

/** Its viewers have playlists that go on: they would hear of keys that their media is not under. */
export const liveKeepsProtection = (): Problem =>
  refuse('video-is-live', 'The video is live, and stays as protected as it began. Change it when the show has ended; for shows to come, change the channel.');

/** Undefined: it is so already. */
export const newProtection = async ({ catalog }: Pick<Ground, 'catalog'>, { id, state, protection }: VideoRow, wanted: Protection): Promise<Protection | undefined> => {
  if (wanted === protection) return undefined;
  if (state === 'live') throw liveKeepsProtection();
  // Of what is still being made nobody knows yet what there will be.
  if (wanted !== 'cbcs' || state !== 'ready') return wanted;
  const { tracks = [] } = (await catalog.videos.withTracks(id)) ?? {};
  if (cbcsCarries(tracks)) return wanted;
  const codecs = [...new Set(tracks.filter(({ kind }) => kind !== 'text').map(({ codec }) => codec))].join(', ');
  throw refuse('cbcs-not-carried', `cbcs is for H.264 and AAC, and this video is ${codecs}. \`aes-128\` takes any codec.`);
};
