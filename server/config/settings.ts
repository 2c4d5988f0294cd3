/** Every setting: its name in the file, what it takes, and its default. conf/default.yaml explains them. */
import { bytes, duration, flag, folder, hookAddress, hostOrNetwork, list, network, oneOf, origin, port, portOrOff, secondsOr, secret, share, text, whole, type Kind } from './values.ts';

const setting = <T>(kind: Kind<T>, fallback: T): { kind: Kind<T>; fallback: T } => ({ kind, fallback });

export const settings = {
  data: setting(folder, './data'),
  'server.publicUrl': setting(origin, ''),
  'http.host': setting(text, '::'),
  'http.port': setting(port, 8080),
  'http.connectionsPerAddress': setting(whole(16, 1_000_000), 4096),
  'https.host': setting(text, '::'),
  'https.port': setting(portOrOff, null),
  'https.redirect': setting(flag, false),
  trustedProxies: setting(list(network), ['127.0.0.0/8', '::1/128']),
  'rtmp.host': setting(text, '::'),
  'rtmp.port': setting(port, 1935),
  'rtmp.idleTimeout': setting(duration('1s', '10m'), 15_000),
  'rtmps.host': setting(text, '::'),
  'rtmps.port': setting(portOrOff, null),
  'srt.host': setting(text, '::'),
  'srt.port': setting(port, 10_080),
  'srt.latency': setting(duration('20ms', '8s'), 120),
  'srt.idleTimeout': setting(duration('1s', '10m'), 15_000),
  'tls.certificate': setting(text, ''),
  'tls.key': setting(text, ''),
  'tls.lookEvery': setting(duration('1s', '1d'), 60_000),
  'admin.password': setting(secret, ''),
  'live.reconnectWindow': setting(duration('0', '30m'), 60_000),
  'live.takeoverSilence': setting(duration('0', '5m'), 2_000),
  'live.newVideoAfter': setting(duration('1m', '7d'), 86_400_000),
  'live.dvr': setting(secondsOr('whole', '12h'), null),
  'recording.keep': setting(duration('0', '36500d'), 30 * 86_400_000),
  'recording.sync': setting(duration('100ms', '10m'), 10_000),
  'recording.patience': setting(duration('10ms', '1m'), 100),
  'uploads.maxSize': setting(bytes, 20e9),
  'uploads.quota': setting(bytes, 0),
  'uploads.expire': setting(duration('1s', '3650d'), 7 * 86_400_000),
  'uploads.importFrom': setting(list(hostOrNetwork), []),
  'uploads.imports': setting(whole(1, 64), 8),
  'uploads.importTime': setting(duration('1s', '30d'), 6 * 3_600_000),
  'hooks.publish.url': setting(hookAddress, ''),
  'hooks.publish.secret': setting(secret, ''),
  'hooks.publish.timeout': setting(duration('100ms', '8s'), 2_000),
  'hooks.publish.onFailure': setting(oneOf('refuse', 'allow'), 'refuse'),
  'streams.perAccount': setting(whole(0, 255), 0),
  'streams.whenFull': setting(oneOf('refuse-new', 'stop-oldest'), 'refuse-new'),
  'tokens.issuer': setting(text, ''),
  'tokens.audience': setting(text, ''),
  'tokens.keys': setting(text, ''),
  'tokens.algorithms': setting(list(oneOf('ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512')), ['ES256', 'EdDSA', 'RS256'] as const),
  'grants.keyLife': setting(duration('12h', '366d'), 30 * 86_400_000),
  sandbox: setting(oneOf('auto', 'strict'), 'auto'),
  'encode.cores': setting(whole(0, 1024), 0),
  'encode.ladders': setting(text, ''),
  'disk.warn': setting(share, 0.85),
  'disk.refuse': setting(share, 0.92),
  'disk.stop': setting(share, 0.97),
  'protection.segmentsPerKey': setting(whole(1, 1_000_000), 900),
  'delivery.cache': setting(bytes, 256 * 2 ** 20),
  'log.level': setting(oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal'), 'info'),
  'metrics.enabled': setting(flag, true),
} as const;

export type SettingName = keyof typeof settings;
type ValueOf<N extends SettingName> = (typeof settings)[N] extends { kind: Kind<infer T> } ? T : never;
export type Config = { readonly [N in SettingName]: ValueOf<N> };

/** `live.reconnectWindow` ⇄ `MILLRACE_LIVE_RECONNECT_WINDOW`. */
export const variableOf = (name: string): string => `MILLRACE_${name.replace(/([a-z])([A-Z])/g, '$1_$2').replaceAll('.', '_').toUpperCase()}`;
