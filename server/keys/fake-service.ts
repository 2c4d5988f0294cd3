/**
 * For tests: a service that makes keys elsewhere. It names two systems of licences beside this server, answers in turns of its own,
 * and is slow, refuses or answers nonsense when it is told to.
 */
import { createHash } from 'node:crypto';
import type { MediaKey } from '../../packager/protect/keys.ts';
import type { KeySignal } from '../../packager/protect/signals.ts';
import type { KeyService } from './asked-keys.ts';

/** Widevine, which test browsers lack, and one that nobody knows. */
export const systems = ['edef8ba9-79d6-4ace-a3c8-27dcd51d21ed', '0a1b2c3d-0000-4000-8000-00000000abcd'] as const;

export const psshOf = (systemId: string, data: Buffer): Buffer => {
  const box = Buffer.alloc(32 + data.length);
  box.writeUInt32BE(box.length, 0);
  box.write('pssh', 4, 'latin1');
  Buffer.from(systemId.replaceAll('-', ''), 'hex').copy(box, 12);
  box.writeUInt32BE(data.length, 28);
  data.copy(box, 32);
  return box;
};

const digest = (text: string): Buffer => createHash('md5').update(text).digest();

export class FakeKeyService implements KeyService {
  readonly #perKey: number;
  /** Every question: video and numbers. */
  readonly asked: string[] = [];
  /** What becomes of the next answers to questions about a video. */
  readonly faults = new Map<string, 'silent' | 'refuses' | 'short' | 'twice' | 'unprintable'>();
  /** Whether this server hands the keys out as well. */
  alsoHere = true;

  constructor(perKey = 3) {
    this.#perKey = perKey;
  }

  async segmentsPerKey(): Promise<number> {
    await new Promise((turn) => setImmediate(turn));
    return this.#perKey;
  }

  async keys(video: string, slots: readonly number[], stop: AbortSignal): Promise<readonly MediaKey[]> {
    this.asked.push(`${video} ${slots.join(',')}`);
    await new Promise((turn) => setImmediate(turn));
    const fault = this.faults.get(video);
    if (fault === 'silent') await new Promise((_, reject) => stop.addEventListener('abort', reject));
    if (fault === 'refuses') throw new Error('no keys for you');
    return slots.map((slot) => this.#key(video, fault === 'twice' ? 0 : slot, fault)).slice(fault === 'short' ? 1 : 0);
  }

  #key(video: string, slot: number, fault: string | undefined): MediaKey {
    const kid = digest(`id ${video} ${slot}`);
    const [first, second] = systems;
    const signals: KeySignal[] = [
      { by: 'system', systemId: first, pssh: psshOf(first, kid), hls: { uri: `data:text/plain;base64,${psshOf(first, kid).toString('base64')}`, keyFormat: `urn:uuid:${first}`, keyFormatVersions: '1', session: true }, dash: { value: 'Widevine', xml: '' } },
      { by: 'system', systemId: second, pssh: null, hls: { uri: `skd://example.org/${slot}${fault === 'unprintable' ? '"\n#EXT-X-ENDLIST' : ''}`, keyFormat: 'org.example.licences', keyFormatVersions: null, session: false }, dash: { value: null, xml: `<x:Hint xmlns:x="urn:example">${slot}</x:Hint>` } },
    ];
    if (this.alsoHere) signals.push({ by: 'server' });
    return { kid, key: digest(`key ${video} ${slot}`), iv: digest(`iv ${video} ${slot}`), signals };
  }
}
