import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import t from 'tap';
import { reachedAt } from './reached.ts';

const from = (address: string, headers: Record<string, string>, tls = false): IncomingMessage => {
  const socket = tls ? new TLSSocket(new Socket()) : new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: address });
  const request = new IncomingMessage(socket);
  Object.assign(request.headers, headers);
  return request;
};

t.test('the address by which a request came: its own words, a trusted proxy’s, or the configuration’s', async (t) => {
  const behind = reachedAt(['10.0.0.0/8'], null);
  const forwarded = { 'x-forwarded-proto': 'http, https', 'x-forwarded-host': 'evil.example, video.example.org', host: 'inside:8080' };
  t.equal(behind(from('192.0.2.7', { host: 'example.org:8080' })), 'http://example.org:8080');
  t.equal(behind(from('192.0.2.7', { host: 'example.org' }, true)), 'https://example.org');
  t.equal(behind(from('10.1.2.3', forwarded)), 'https://video.example.org', 'the last that was written');
  t.equal(behind(from('192.0.2.7', forwarded)), 'http://inside:8080', 'anybody can write that');
  t.equal(behind(from('10.1.2.3', { host: 'inside' })), 'http://inside');
  t.equal(reachedAt([], 'https://video.example.org/')(from('192.0.2.7', { host: 'other' })), 'https://video.example.org');
  for (const host of ['', 'a b', '"><script>', 'x/../y?z#']) t.notMatch(behind(from('192.0.2.7', { host })), /[<>"' ?#]|\.\./, host);
});
