/**
 * node-media-server as a relay: what is published to its `/live/show` is pushed on to the address that is given. A process of
 * its own, since a malformed packet may end it.
 *
 *     node relaying-peer.mjs FOLDER-OF-THE-PACKAGE PORT ADDRESS FOLDER-FOR-ITS-DATA
 */
import { createRequire } from 'node:module';

const [folder = '', port, url, data] = process.argv.slice(2);
const NodeMediaServer = createRequire(import.meta.url)(folder);
const server = new NodeMediaServer({ bind: '127.0.0.1', rtmp: { port: Number(port) }, store: { path: data }, webadmin: { enable: false } });
await server.run();
server.relayServer.addTask({ url, mode: 'push', streamPath: '/live/show', reconnectInterval: 300 });
