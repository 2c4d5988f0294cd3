/**
 * What a grant adds to a request, and who watches to memory: the verdict over 1, 1,000 and 10,000 grants that are known, for lists
 * and for media (which keeps a viewing going), beside the verdict on `-`; and what a grant costs that is seen for the first time.
 *
 *     node bench/grants.ts
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '../packager/clock.ts';
import { createGatekeeper } from '../server/auth/gatekeeper.ts';
import { readGrant, writeGrant, type Grant } from '../server/auth/grant-token.ts';
import { Grants } from '../server/auth/grants.ts';
import { Viewings } from '../server/auth/viewings.ts';
import type { AccountRow } from '../server/catalog/accounts.ts';
import { newId } from '../server/catalog/ids.ts';
import type { VideoRow } from '../server/catalog/videos.ts';
import { Exchange, type ExchangeGround } from '../server/delivery/exchange.ts';
import { Peers } from '../server/delivery/peers.ts';
import { clientAddresses } from '../server/web/client-address.ts';
import { percentile, table } from '../test/support/figures.ts';

const rounds = 60;
const each = 2_000;

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const account = newId();
const key = { id: 1, secret: Buffer.alloc(32, 7) };
const common = { id: newId(), account, audiences: ['media', 'pictures', 'keys'], expiresAt: Date.UTC(2099, 0), notBefore: null, maxHeight: null, mayDownload: false } as const;
const grantFor = (video: string): Grant => ({ ...common, opens: { kind: 'video', id: video }, id: newId(), own: false, streams: null, networks: [], rules: [], device: null, viewer: null });

/** As much of a row as is asked for. */
const row = (id: string): VideoRow => ({ id, ownerId: account, visibility: id.startsWith('0') ? 'public' : 'private', downloads: true }) as VideoRow;

const setUp = () => {
  const viewings = new Viewings(systemClock, { perAccount: 0, whenFull: 'refuse-new' });
  const events = { subscribe: () => () => undefined };
  const videos = { get: async (id: string) => row(id) };
  const grants = new Grants({
    ...{ videos, events, viewings, clock: systemClock },
    vault: { mac: () => Buffer.alloc(32) },
    keys: { signing: key, find: () => key.secret, removals: 0 },
    accounts: { get: async (id) => ({ id, role: 'creator' }) as AccountRow },
    sessions: { ofAccount: async () => [] },
    grants: { add: async () => true, isRevoked: async () => false },
  });
  return { viewings, gatekeeper: createGatekeeper(videos, events, grants) };
};

const ground: ExchangeGround = {
  peers: new Peers(systemClock, { patienceMs: 1000, heldBytes: 1 }),
  tally: { answered: () => undefined, sent: () => undefined },
  addressOf: clientAddresses([]),
  reachedAt: () => '',
};
/** A request of one of many, and what becomes of it. */
const asked = (from: number, media: boolean): { readonly exchange: Exchange; readonly over: () => void } => {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: `::ffff:192.0.${from >> 8}.${from & 255}` });
  const request = new IncomingMessage(socket);
  request.headers['user-agent'] = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';
  const response = new ServerResponse(request);
  const exchange = new Exchange(request, response, ground);
  exchange.kind = media ? 'part' : 'playlist';
  return { exchange, over: () => void (response.emit('finish') && response.emit('close')) };
};

const micros = (of: number, run: () => void): number => {
  const { user, system } = process.cpuUsage();
  run();
  const after = process.cpuUsage();
  return (after.user + after.system - user - system) / of;
};
const median = (values: readonly number[]): string => `${percentile(values, 0.5).toFixed(1)} µs`;

const verdicts = async (count: number, which: 'open' | 'granted', media: boolean): Promise<string> => {
  const { gatekeeper } = setUp();
  const video = `${which === 'open' ? '0' : 'b'}${newId().slice(1)}`;
  const texts = Array.from({ length: count }, () => (which === 'open' ? '-' : writeGrant(key, grantFor(video))));
  for (const [at, text] of texts.entries()) await gatekeeper.verdict(text, video, 'media', asked(at, media).exchange);
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // As they come out of a request's address: strings of their own.
    const requests = Array.from({ length: each }, (_, at) => ({ ...asked(at % count, media), text: Buffer.from(texts[at % count] ?? '').toString('latin1') }));
    took.push(
      micros(each, () => {
        for (const { exchange, over, text } of requests) {
          const verdict = gatekeeper.verdict(text, video, 'media', exchange);
          if (verdict instanceof Promise || !verdict.ok) throw new Error('a grant that is known opens at once');
          over();
        }
      }),
    );
  }
  return median(took.slice(15));
};

const firstTime = (): string => {
  const took: number[] = [];
  const find = (): Buffer => key.secret;
  for (let round = 0; round < rounds; round += 1) {
    const texts = Array.from({ length: 1000 }, () => writeGrant(key, grantFor(newId())));
    took.push(micros(texts.length, () => texts.forEach((text) => readGrant(find, text))));
  }
  return median(took.slice(15));
};

const memory = async (count: number): Promise<readonly string[]> => {
  const { gatekeeper, viewings } = setUp();
  const video = `b${newId().slice(1)}`;
  const used = (): number => {
    gc();
    return process.memoryUsage().heapUsed;
  };
  const before = used();
  for (let at = 0; at < count; at += 1) {
    const { exchange, over } = asked(at, true);
    await gatekeeper.verdict(Buffer.from(writeGrant(key, grantFor(video))).toString('latin1'), video, 'media', exchange);
    over();
  }
  const bytes = used() - before;
  return [`${viewings.size} who watch, each by a grant of his own`, `${(bytes / 1e6).toFixed(1)} MB, ${(bytes / viewings.size).toFixed(0)} bytes each`, ''];
};

const rows: (readonly string[])[] = [['a verdict', 'list', 'media']];
rows.push(['on -', await verdicts(1, 'open', false), await verdicts(1, 'open', true)]);
for (const count of [1, 1000, 10_000]) rows.push([`on ${count} grants that are known`, await verdicts(count, 'granted', false), await verdicts(count, 'granted', true)]);
rows.push(['signature and text of one that is not', firstTime(), '']);
rows.push(await memory(10_000));
console.log(table(rows));
