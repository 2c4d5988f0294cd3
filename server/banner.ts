/** What the terminal says when the server is up: where it is, where to send to, and the link that sets the admin's password. */
import { networkInterfaces } from 'node:os';
import qrcode from 'qrcode-generator';
import type { Config } from './config/settings.ts';

/** The address that a phone in the same network can reach: that is who scans the code. */
const reachable = (): string => {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? 'localhost';
};

const origin = (config: Config, port: number, host: string): string =>
  config['server.publicUrl'] || `http://${host}${port === 80 ? '' : `:${port}`}`;

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

export const linkBanner = (config: Config, token: string, sentence: string, httpPort = config['http.port']): string => {
  const near = `${origin(config, httpPort, 'localhost')}/setup#${token}`;
  const far = `${origin(config, httpPort, reachable())}/setup#${token}`;
  return `\n  ${sentence}\n\n  ${near}\n${far === near ? '' : `  ${far}\n`}\n${drawCode(far)}\n\n`;
};

type Ports = { readonly http: number; readonly rtmp: number; readonly srt: number };
type Converting = { readonly ffmpeg: string | null; readonly sandbox: string | null; readonly refused: string | null };

export const addressBanner = (config: Config, ports: Ports, { ffmpeg, sandbox, refused }: Converting): string => {
  const web = origin(config, ports.http, 'localhost');
  const { hostname } = new URL(web);
  const rows = [
    ['Web', web],
    ['RTMP', `rtmp://${hostname}:${ports.rtmp}/live   (the stream key is on the channel's page)`],
    ['SRT', `srt://${hostname}:${ports.srt}?streamid=STREAM-KEY`],
    ['Files', refused === null ? `converted by ffmpeg ${ffmpeg}, sandbox: ${sandbox}` : `nothing is converted: ${refused}`],
  ];
  return `\n  Millrace is running.\n\n${rows.map(([what, where]) => `  ${what?.padEnd(7)}${where}\n`).join('')}`;
};
