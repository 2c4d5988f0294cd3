/** The second sounds of live shows, put together: which shows get one, who encodes it, and how it is with each. */
import { join } from 'node:path';
import type { Clock } from '../../packager/clock.ts';
import type { CoreBudget } from '../../packager/encode/budget.ts';
import { makeJobPlace, type JobPlace, type Sandbox } from '../../packager/encode/sandbox.ts';
import { SoundEncoder } from '../../packager/encode/sound-encoder.ts';
import type { Wish } from '../../packager/live/policy.ts';
import type { LiveRun } from '../../packager/live/run.ts';
import { planSecondSound, SecondSound } from '../../packager/live/second-sound.ts';
import type { SoundAsk, SoundEncoding } from '../../packager/live/second-sound-epoch.ts';
import type { ServerLog } from '../log.ts';

export type SecondSoundsOptions = {
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly budget: CoreBudget;
  /** `<data>/jobs`: what a crash leaves there is swept away. */
  readonly folder: string;
};

/** `none`: players were told of no second one. `silent`: they were, and nobody makes it now. */
export type SecondSoundNow = 'none' | 'on' | 'silent';

/** Of a core: 20 s of stereo took 0.7 s of one on a busy machine. */
const cores = 0.035;

type Shown = { readonly sound: SecondSound; readonly release: () => void };

export class SecondSounds {
  readonly #o: SecondSoundsOptions;
  /** Undefined: it is not known yet whether anything can be encoded here. */
  #tools: { readonly sandbox: Sandbox; readonly place: JobPlace } | null | undefined;
  /** By their videos. */
  readonly #shows = new Map<string, Shown>();
  #restarts = 0;

  constructor(options: SecondSoundsOptions) {
    this.#o = options;
  }

  /** Who encodes; null: nobody. */
  async equip(sandbox: Sandbox | null): Promise<void> {
    this.#tools = sandbox && { sandbox, place: await makeJobPlace(join(this.#o.folder, `sound-${process.pid}`)) };
  }

  /** How a show is to be planned. `stereo`: bits a second that its ladder wants for it; null: the usual. */
  wish(stereo: number | null): NonNullable<Wish['secondSound']> {
    return (sent) => (this.#tools === null ? null : planSecondSound(sent, stereo));
  }

  /** Null: the run has none. */
  open(run: LiveRun): SecondSound | null {
    const { clock, log, budget } = this.#o;
    const { video } = run.facts;
    const track = run.facts.tracks.find(({ secondSound }) => secondSound !== undefined);
    if (!track?.secondSound) return null;
    // So little that it is not refused where there is no room: a show without it is mute for some.
    const lease = budget.take({ rank: 'live', cores, name: video, yield: () => undefined });
    const sound = new SecondSound({
      ...{ clock, run, track, facts: track.secondSound },
      start: (ask) => this.#start(video, ask),
      trouble: ({ kind, words }) => {
        this.#restarts += 1;
        log.warn({ video, trouble: kind, words }, 'The encoder of a second sound had trouble.');
      },
    });
    this.#shows.set(video, { sound, release: () => lease?.release() });
    return sound;
  }

  #start(video: string, ask: SoundAsk): SoundEncoding | null {
    const tools = this.#tools;
    if (!tools) return null;
    try {
      return encode(tools, ask);
    } catch (error) {
      this.#o.log.warn({ video, err: error }, 'No encoder of a second sound could be started.');
      return null;
    }
  }

  /** The show is over. */
  forget(video: string): void {
    this.#shows.get(video)?.release();
    this.#shows.delete(video);
  }

  of(video: string): SecondSoundNow {
    const shown = this.#shows.get(video);
    return shown ? (shown.sound.state.silent ? 'silent' : 'on') : 'none';
  }

  get counts(): Readonly<Record<'on' | 'silent', number>> {
    const silent = [...this.#shows.keys()].filter((video) => this.of(video) === 'silent').length;
    return { on: this.#shows.size - silent, silent };
  }

  /** Times that an encoder was begun anew, since the start. */
  get restarts(): number {
    return this.#restarts;
  }
}

const encode = (tools: { readonly sandbox: Sandbox; readonly place: JobPlace }, { source, facts, packetsFrom, from, preSkip, frame, over }: SoundAsk): SoundEncoding => {
  const { channels, bitRate } = facts;
  const encoder = new SoundEncoder({ ...tools, config: source.config, channels, bitRate, packetsFrom, from, preSkip, frame });
  void encoder.ended.then(({ how, words }) => over(how === 'drained' ? 'drained' : 'failed', words));
  return {
    packet: (pts, data) => {
      // So much of it waits that it will not catch up: another one is given what was kept.
      if (!encoder.feed(pts, data)) encoder.kill();
    },
    end: () => encoder.end(),
    kill: () => encoder.kill(),
  };
};
