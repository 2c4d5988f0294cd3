/** What the terminal says when the server is up: where it is, where to send to, and the link that sets the admin's password. */
import { networkInterfaces } from 'node:os';
import qrcode from 'qrcode-generator';
import type { Config } from './config/settings.ts';

/** The address that a phone in the same network can reach: that is who scans the code. */
const reachable = (): string => {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? 'localhost';
};

type Ports = { readonly http: number; readonly https: number | null };
/** Where the server is; `names`: what its certificate is good for. */
export type Place<P = Ports> = { readonly config: Config; readonly ports: P; readonly names: readonly string[] };

const withPort = (origin: string, port: number, usual: number): string => (port === usual ? origin : `${origin}:${port}`);

/** Other than `*.example.org`, an address with colons, or what somebody has called his certificate. */
const isHost = (name: string): boolean => !/[*:]/.test(name) && URL.canParse(`https://${name}`) && new URL(`https://${name}`).hostname === name.toLowerCase();

/** HTTPS where there is any, by a name that the certificate has: under another one a browser warns. */
const origin = ({ config, ports: { http, https }, names }: Place, host: string): string => {
  if (config['server.publicUrl'] !== '') return config['server.publicUrl'];
  if (https === null) return withPort(`http://${host}`, http, 80);
  return withPort(`https://${names.find(isHost) ?? host}`, https, 443);
};

/** Two modules a character, light on dark as phones expect, with the quiet zone of four modules. */
const drawCode = (text: string): string => {
  const code = qrcode(0, 'L');
  code.addData(text);
  code.make();
  const size = code.getModuleCount();
  const dark = (row: number, column: number): boolean => row >= 0 && column >= 0 && row < size && column < size && code.isDark(row, column);
  const lines: string[] = [];
  for (let row = -2; row < size + 2; row += 2) {
    let line = '  ';
    for (let column = -2; column < size + 2; column += 1) {
      const [upper, lower] = [dark(row, column), dark(row + 1, column)];
      line += upper ? (lower ? ' ' : '▄') : lower ? '▀' : '█';
    }
    lines.push(line);
  }
  return lines.join('\n');
};

export const linkBanner = (place: Place, token: string, sentence: string): string => {
  const near = `${origin(place, 'localhost')}/setup#${token}`;
  const far = `${origin(place, reachable())}/setup#${token}`;
  return `\n  ${sentence}\n\n  ${near}\n${far === near ? '' : `  ${far}\n`}\n${drawCode(far)}\n\n`;
};

type AllPorts = Ports & { readonly rtmp: number; readonly rtmps: number | null; readonly srt: number };
type Converting = { readonly ffmpeg: string | null; readonly sandbox: string | null; readonly refused: string | null };

export const addressBanner = (place: Place<AllPorts>, { ffmpeg, sandbox, refused }: Converting): string => {
  const { http, https, rtmp, rtmps, srt } = place.ports;
  const web = origin(place, 'localhost');
  const { hostname } = new URL(web);
  const rows = [
    ['Web', https === null ? web : `${web}   (port ${http}, without TLS, ${place.config['https.redirect'] ? 'is sent there' : 'is open too'})`],
    ['RTMP', `rtmp://${hostname}:${rtmp}/live   (the stream key is on the channel's page)`],
    ...(rtmps === null ? [] : [['RTMPS', `rtmps://${hostname}:${rtmps}/live`]]),
    ['SRT', `srt://${hostname}:${srt}?streamid=STREAM-KEY`],
    ['Files', refused === null ? `converted by ffmpeg ${ffmpeg}, sandbox: ${sandbox}` : `nothing is converted: ${refused}`],
  ];
  return `\n  Millrace is running.\n\n${rows.map(([what, where]) => `  ${what?.padEnd(7)}${where}\n`).join('')}`;
};
