/** Where a video plays, as a player finds it: paths on the server that it was asked of. */
import { request } from 'node:http';
import type { MillraceServer } from '../../test/support/server.ts';
import { untilState, uploadFile } from '../../test/support/upload.ts';

const parse = (body: string): string => new URL('.', (JSON.parse(body) as { hls: string }).hls).pathname;

/** Below this lies all of it. */
export const baseOf = async (server: MillraceServer, video: string, session: string): Promise<string> =>
  parse(JSON.stringify(await server.must('POST', `videos/${video}/playback`, {}, session)));

/** The same for whom others vouch for, from an address of his own: of one only so many are asked a minute. */
export const baseFor = (server: MillraceServer, video: string, token: string, localAddress: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const asked = request(`${server.origin}/api/v1/videos/${video}/playback`, { method: 'POST', headers, localAddress, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      response.on('end', () => (response.statusCode === 200 ? resolve(parse(body)) : reject(new Error(body))));
    });
    asked.on('error', reject);
    asked.end(JSON.stringify({ token }));
  });

export const segmentsOf = async (server: MillraceServer, base: string, track: string): Promise<readonly string[]> => {
  const answer = await fetch(`${server.origin}${base}${track}/whole.m3u8`);
  if (!answer.ok) throw new Error(`${track}: ${answer.status} ${await answer.text()}`);
  return (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((name) => `${base}${track}/${name}`);
};

/** A film that can be played, and where. */
export const uploaded = async (server: MillraceServer, session: string, file: string, settings: Record<string, unknown>): Promise<string> => {
  const { id } = await uploadFile(server, session, file, settings);
  await untilState(server, session, id, ['ready']);
  return baseOf(server, id, session);
};
