import t from 'tap';
import type { AmfValue } from './amf0.ts';
import { CommandFlow } from './commands.ts';
import type { Effect } from './commands.ts';
import { defaultLimits } from './limits.ts';
import { interpret } from './messages.ts';
import { fault } from './test-fault.ts';

const names = (effects: readonly Effect[]): string[] =>
  effects.map((effect) => {
    if (effect.kind !== 'send') return effect.kind;
    const meaning = interpret(effect.message.message, defaultLimits);
    return meaning.kind === 'command' ? meaning.command.name : meaning.kind;
  });
const ask = (flow: CommandFlow, name: string, streamId: number, ...values: AmfValue[]): readonly Effect[] =>
  flow.handle({ name, transaction: 1, values, streamId });
const connected = (): CommandFlow => {
  const flow = new CommandFlow();
  ask(flow, 'connect', 0, { app: 'live', tcUrl: 'rtmp://h/live', flashVer: 'FMLE/3.0 \u0007(compatible; FMSc/1.0)' });
  return flow;
};

t.test('the flow of OBS', async (t) => {
  const flow = new CommandFlow();
  t.strictSame(names(ask(flow, 'connect', 0, { app: 'live' })), ['window', 'bandwidth', 'ignored', '_result']);
  t.strictSame(names(ask(flow, 'releaseStream', 0, null, 'k')), ['_result']);
  t.strictSame(names(ask(flow, 'FCPublish', 0, null, 'k')), ['_result', 'onFCPublish']);
  t.strictSame(names(ask(flow, 'createStream', 0, null)), ['_result']);
  t.strictSame(ask(flow, 'publish', 1, null, 'k', 'live'), [{ kind: 'publish', key: 'k', software: undefined }]);
  t.equal(flow.accept().length, 2);
  t.strictSame(names(ask(flow, 'FCUnpublish', 0, null, 'k')), ['onFCUnpublish', 'onStatus', 'over']);
  t.strictSame(names(ask(flow, 'deleteStream', 0, null, 1)), [], 'the end is announced once');
});

t.test('GStreamer creates its stream first; some gear publishes on stream 0 and deletes another number', async (t) => {
  const flow = connected();
  ask(flow, 'createStream', 0, null);
  ask(flow, 'FCPublish', 0, null, 'k');
  t.strictSame(names(ask(flow, 'publish', 0, null, 'k')), ['publish']);
  flow.accept();
  t.strictSame(names(ask(flow, 'deleteStream', 0, null, 1)).at(-1), 'over');
});

t.test('what an encoder calls itself is printable and short', async (t) => {
  const flow = connected();
  t.match(ask(flow, 'publish', 1, null, 'k'), [{ software: 'FMLE/3.0 (compatible; FMSc/1.0)' }]);
  const long = new CommandFlow();
  ask(long, 'connect', 0, { app: 'live', flashVer: 'x'.repeat(1000) });
  t.match(ask(long, 'publish', 1, null, 'k'), [{ software: 'x'.repeat(128) }]);
});

t.test('commands that nobody knows are ignored', async (t) => {
  for (const name of ['_checkbw', 'getStreamLength', 'toString', '__proto__', 'FCSubscribe']) {
    t.strictSame(ask(connected(), name, 0, null), []);
  }
});

t.test('commands out of order, without their arguments, or to play', async (t) => {
  t.equal(
    fault(() => ask(new CommandFlow(), 'publish', 1, null, 'k')),
    'command-order',
  );
  t.equal(
    fault(() => ask(new CommandFlow(), 'createStream', 0)),
    'command-order',
  );
  t.equal(
    fault(() => ask(new CommandFlow(), 'connect', 0)),
    'command-order',
  );
  t.equal(
    fault(() => ask(new CommandFlow(), 'connect', 0, null)),
    'command-order',
  );
  t.equal(
    fault(() => ask(new CommandFlow(), 'connect', 0, [1])),
    'command-order',
  );
  t.equal(
    fault(() => ask(connected(), 'connect', 0, {})),
    'command-order',
  );
  t.equal(
    fault(() => ask(connected(), 'publish', 1, null, null)),
    'no-stream-key',
  );
  t.equal(
    fault(() => ask(connected(), 'publish', 1)),
    'no-stream-key',
  );
  t.equal(
    fault(() => ask(connected(), 'play', 1, null, 'k')),
    'play',
  );
  const flow = connected();
  ask(flow, 'publish', 1, null, 'k');
  t.equal(
    fault(() => ask(flow, 'publish', 1, null, 'k')),
    'command-order',
  );
  t.equal(
    fault(() => Array.from({ length: 17 }, () => ask(flow, 'createStream', 0))),
    'command-order',
  );
});
