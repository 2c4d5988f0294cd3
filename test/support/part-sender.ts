/**
 * A client of the parts protocol that shares no code with ours: parts in any order and several at once, each with its
 * digest; whatever fails, it asks what has landed and sends the rest, until the server says that all of it is there.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export type PartAddresses = { readonly url: string; readonly status: string; readonly finish: string };
export type PartOptions = {
  readonly partSize?: number;
  readonly parallel?: number;
  /** After each part that has landed. */
  readonly landed?: (bytes: number) => void;
  readonly giveUpAfterMs?: number;
};
export type PartOutcome = { readonly sent: number; readonly failures: number; readonly finish: unknown };

type Status = { readonly size: number; readonly landed: readonly (readonly [number, number])[]; readonly whole: boolean };

const pauseMs = 100;

export const sendParts = async (at: PartAddresses, data: Buffer, { partSize = 2 ** 20, parallel = 4, landed = () => undefined, giveUpAfterMs = 60_000 }: PartOptions = {}): Promise<PartOutcome> => {
  const giveUpAt = performance.now() + giveUpAfterMs;
  const outcome = { sent: 0, failures: 0, finish: null as unknown };
  let trouble = 'nothing was tried';
  const tried = async <T>(what: () => Promise<T>): Promise<T | null> => {
    try {
      return await what();
    } catch (error) {
      trouble = error instanceof Error ? `${error.message} ${String(error.cause ?? '')}` : String(error);
      outcome.failures += 1;
      await sleep(pauseMs);
      return null;
    }
  };
  const sendPart = async (part: number): Promise<void> => {
    const answer = await putPart(at, data, part, partSize);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`part ${part}: ${answer.status} ${text}`);
    outcome.sent += 1;
    landed(Math.min(partSize, data.length - part * partSize));
  };
  while (performance.now() < giveUpAt) {
    const status = await tried(async () => {
      const answer = await fetch(at.status);
      if (!answer.ok) throw new Error(`status: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as Status;
    });
    if (!status) continue;
    const missing = missingParts(status, partSize);
    if (missing.length === 0) {
      const done = await tried(async () => {
        const answer = await fetch(at.finish, { method: 'POST' });
        if (!answer.ok) throw new Error(`finish: ${answer.status} ${await answer.text()}`);
        return (await answer.json()) as unknown;
      });
      if (done) return { ...outcome, finish: done };
      continue;
    }
    // Not in their order: every second one first.
    const order = [...missing.filter((part) => part % 2 === 1), ...missing.filter((part) => part % 2 === 0)];
    await Promise.all(
      Array.from({ length: parallel }, async () => {
        for (let part = order.shift(); part !== undefined && performance.now() < giveUpAt; part = order.shift()) {
          const number = part;
          await tried(() => sendPart(number));
        }
      }),
    );
  }
  throw new Error(`the file could not be sent: ${trouble}`);
};

export const putPart = (at: Pick<PartAddresses, 'url'>, data: Buffer, part: number, partSize: number): Promise<Response> => {
  const body = data.subarray(part * partSize, (part + 1) * partSize);
  const digest = createHash('sha256').update(body).digest('base64');
  return fetch(`${at.url.replace('{n}', String(part))}?size=${partSize}`, { method: 'PUT', body: new Uint8Array(body), headers: { 'content-digest': `sha-256=:${digest}:` } });
};

const missingParts = ({ size, landed }: Status, partSize: number): number[] => {
  const has = (from: number, to: number): boolean => landed.some(([start, end]) => start <= from && to <= end);
  return Array.from({ length: Math.ceil(size / partSize) }, (_, part) => part).filter((part) => !has(part * partSize, Math.min(size, (part + 1) * partSize)));
};
