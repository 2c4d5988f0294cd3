/** For tests: a server on loopback with a recording desk, which knows of passphrases. */
import { systemClock, type Clock } from '../../packager/clock.ts';
import type { PublishRequest, PublishVerdict } from '../../packager/media/publish.ts';
import { RecordingDesk } from '../rtmp/test-desk.ts';
import type { SrtLimits } from './limits.ts';
import { createSrtServer, type SrtServer } from './server.ts';

export type LogLine = { readonly event: string; readonly level: string; readonly [field: string]: unknown };
export type Stage = {
  readonly desk: RecordingDesk;
  readonly server: SrtServer;
  readonly port: number;
  readonly lines: LogLine[];
  /** Resolves with the next line of the log that is about this event. */
  readonly logged: (event: string) => Promise<LogLine>;
};

type Options = { readonly limits?: Partial<SrtLimits>; readonly clock?: Clock; readonly passphrase?: string };

export const stage = async (test: { teardown(end: () => unknown): void }, options: Options = {}): Promise<Stage> => {
  const desk = new RecordingDesk();
  const admit = desk.decide;
  desk.decide = async (request: PublishRequest): Promise<PublishVerdict> => {
    const proven = await request.proves?.(options.passphrase ?? null);
    return proven === false ? { ok: false, code: 'wrong-passphrase', message: 'no' } : admit(request);
  };
  const lines: LogLine[] = [];
  const watchers: { readonly event: string; readonly resolve: (line: LogLine) => void }[] = [];
  const server = createSrtServer({
    desk,
    clock: options.clock ?? systemClock,
    ...(options.limits && { limits: options.limits }),
    log: (line) => {
      lines.push(line);
      const index = watchers.findIndex(({ event }) => event === line.event);
      watchers.splice(index, index < 0 ? 0 : 1)[0]?.resolve(line);
    },
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  test.teardown(() => server.close());
  const logged = (event: string): Promise<LogLine> => new Promise((resolve) => watchers.push({ event, resolve }));
  return { desk, server, port, lines, logged };
};
