/** One HLS presentation: the multivariant playlist, every media playlist that it names, and what they must agree on. */
import { fault } from '../finding.ts';
import { numberOf, textOf } from '../read/attributes.ts';
import type { Init } from '../read/init.ts';
import { readPlaylist } from '../read/m3u8.ts';
import { lengthOf, type MultivariantPlaylist, type Variant } from '../read/playlist.ts';
import { codecsOf, initAgainstVariant, measuredAgainstVariant, multivariantAlone, type Said } from '../rules/multivariant.ts';
import { presentation, type Standing } from '../rules/presentation.ts';
import { ask, nameOf, type Ground } from './ground.ts';
import type { MediaHost, Role } from './media-watch.ts';
import { PlaylistWatch } from './playlist-watch.ts';

type Row = { readonly watch: PlaylistWatch; readonly role: Role; readonly said: { codecs: Set<string>; resolutions: Set<string> } };

const mostPlaylists = 64;
const mostAnchors = 256;
const rereadAfterMs = 1_000;
const videoCodec = /^(?:avc|hvc|hev|vp0|av01|dvh)/;

export class HlsSession {
  readonly #ground: Ground;
  readonly #url: string;
  #list: MultivariantPlaylist | null = null;
  readonly #rows = new Map<string, Row>();
  readonly #anchors = new Map<number, { date: number; seconds: number }>();
  #rereading: Promise<void> | null = null;

  constructor(ground: Ground, url: string) {
    this.#ground = ground;
    this.#url = url;
  }

  get playlists(): number {
    return this.#rows.size;
  }

  async run(): Promise<void> {
    if (!(await this.#read())) return;
    await Promise.all([...this.#rows.values()].map(({ watch }) => watch.run()));
  }

  /** False: there is nothing to watch. */
  async #read(): Promise<boolean> {
    const answer = await ask(this.#ground, this.#url, { kind: 'multivariant' });
    if (!answer) return false;
    const list = readPlaylist(answer.body.toString('utf8'));
    if (list.kind === 'media') {
      // A media playlist by itself is a presentation too.
      this.#add(answer.url, 'picture');
      return true;
    }
    this.#list = list;
    this.#ground.report.tell(nameOf(this.#url), multivariantAlone(list));
    for (const { uri, type } of list.renditions) {
      if (uri !== null) this.#add(uri, type === 'SUBTITLES' ? 'subtitles' : type === 'VIDEO' ? 'picture' : 'sound');
    }
    for (const variant of list.variants) {
      const codecs = codecsOf(variant.attributes);
      const row = this.#add(variant.uri, codecs.length === 0 || codecs.some((one) => videoCodec.test(one)) ? 'picture' : 'sound');
      if (row) this.#say(row, variant);
    }
    for (const { uri } of list.iframes) this.#add(uri, 'iframes');
    for (const variant of list.variants) {
      // What a variant says of its sound is said of every rendition of its group.
      const group = textOf(variant.attributes, 'AUDIO');
      for (const one of list.renditions) if (one.type === 'AUDIO' && one.group === group && one.uri !== null) for (const codec of codecsOf(variant.attributes)) this.#row(one.uri)?.said.codecs.add(codec);
    }
    return true;
  }

  #say({ said }: Row, { attributes }: Variant): void {
    for (const codec of codecsOf(attributes)) said.codecs.add(codec);
    const resolution = textOf(attributes, 'RESOLUTION');
    if (resolution !== null) said.resolutions.add(resolution);
  }

  #address(uri: string): string {
    return URL.canParse(uri, this.#url) ? new URL(uri, this.#url).href : uri;
  }

  #row(uri: string): Row | undefined {
    return this.#rows.get(this.#address(uri));
  }

  #add(uri: string, role: Role): Row | null {
    const url = this.#address(uri);
    const known = this.#rows.get(url);
    if (known || this.#rows.size >= mostPlaylists) return known ?? null;
    const said = { codecs: new Set<string>(), resolutions: new Set<string>() };
    const watch = new PlaylistWatch(this.#ground, url, this.#host(url, role), { onList: (one) => this.#together(one) });
    const row = { watch, role, said };
    this.#rows.set(url, row);
    return row;
  }

  #host(url: string, role: Role): MediaHost {
    return {
      role,
      url,
      onInit: (init, newest) => void this.#init(url, init, newest),
      onSegment: () => this.#measure(),
      mediaTime: (sequence, date) => {
        const anchor = this.#anchors.get(sequence);
        return anchor ? anchor.seconds + (date - anchor.date) / 1000 : null;
      },
      onAnchor: (sequence, date, seconds) => {
        this.#anchors.set(sequence, { date, seconds });
        if (this.#anchors.size > mostAnchors) this.#anchors.delete(this.#anchors.keys().next().value ?? 0);
      },
    };
  }

  #together(watch: PlaylistWatch): void {
    const standing = watch.standing;
    if (!standing) return;
    const others = [...this.#rows.values()].flatMap((row): Standing[] => (row.watch === watch || !row.watch.standing ? [] : [row.watch.standing]));
    this.#ground.report.tell(standing.name, presentation(standing, others));
    const start = this.#list?.start ?? null;
    const length = lengthOf(standing.list);
    // It counts from either end of every playlist that it stands for.
    if (start !== null && !standing.iframes && Math.abs(start) > length + 0.001) {
      this.#ground.report.tell(nameOf(this.#url), [fault('hls/start', `TIME-OFFSET is ${start}, and ${standing.name} lasts ${length.toFixed(3)} s`)]);
    }
  }

  /** Parameters may have changed since the playlist was read: what it says now counts too. */
  async #init(url: string, init: Init, newest: boolean): Promise<void> {
    const row = this.#rows.get(url);
    if (!row || !this.#list || row.role === 'iframes' || row.role === 'subtitles') return;
    const judge = (said: Said): ReturnType<typeof fault>[] => [...initAgainstVariant(init, said, newest)];
    if (judge(row.said).length === 0) return;
    this.#rereading ??= this.#reread().finally(() => (this.#rereading = null));
    await this.#rereading;
    if (!this.#ground.signal.aborted) this.#ground.report.tell(nameOf(url), judge(row.said));
  }

  async #reread(): Promise<void> {
    await this.#ground.time.sleep(rereadAfterMs, this.#ground.signal);
    if (!this.#ground.signal.aborted) await this.#read();
  }

  #measure(): void {
    const list = this.#list;
    if (!list) return;
    for (const { uri, attributes } of list.variants) {
      const row = this.#row(uri);
      if (!row) continue;
      const { rates } = row.watch.media;
      const group = textOf(attributes, 'AUDIO');
      const sound = list.renditions.flatMap((one) => (one.type === 'AUDIO' && one.group === group && one.uri !== null ? (this.#row(one.uri)?.watch.media.rates ?? []) : []));
      const most = (pick: (one: typeof rates) => number): number => pick(rates) + Math.max(0, ...sound.map(pick));
      const ended = row.watch.list?.endList === true;
      const measured = { ended, peak: most(({ peak }) => peak), average: most(({ average }) => average), seconds: rates.seconds, frameRate: row.role === 'picture' ? rates.frameRate : null };
      this.#ground.report.tell(nameOf(this.#address(uri)), measuredAgainstVariant(uri, attributes, measured));
    }
    for (const { uri, attributes } of list.iframes) {
      const bandwidth = numberOf(attributes, 'BANDWIDTH');
      const peak = this.#row(uri)?.watch.media.rates.peak ?? 0;
      if (bandwidth !== null && this.#row(uri)?.watch.list?.endList === true && peak > bandwidth * 1.001) this.#ground.report.tell(nameOf(this.#address(uri)), [fault('multi/bandwidth', `the peak is ${Math.round(peak)} bit/s, BANDWIDTH ${bandwidth}`)]);
    }
  }
}
