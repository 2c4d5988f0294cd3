/**
 * node-media-server as a relay: what is published to its `/live/show` is pushed on to the address that is given. A process of
 * its own, since a malformed packet may end it.
 *
 *     node relaying-peer.mjs PORT ADDRESS FOLDER-FOR-ITS-DATA
 */
import NodeMediaServer from 'node-media-server';

const [port, url, data] = process.argv.slice(2);
const server = new NodeMediaServer({ bind: '127.0.0.1', rtmp: { port: Number(port) }, store: { path: data }, webadmin: { enable: false } });
await server.run();
server.relayServer.addTask({ url, mode: 'push', streamPath: '/live/show', reconnectInterval: 300 });
