/** hls.js tied to one media element: loading, recovery and the live edge. It knows nothing of pages. */
import type HlsClass from 'hls.js';
import type { ErrorData } from 'hls.js';
import { savesData } from '../lib/saves-data.ts';
import { remember, remembered, rememberedForToday, rememberForToday } from '../state/remembered.ts';
import { soundFor } from './choices.ts';
import type { Choice } from './choices.ts';
import { dateAt } from './dvr.ts';
import type { Window } from './dvr.ts';
import { keptChoice } from './kept-choice.ts';
import { opensByItself } from './native-engine.ts';
import { watchPlayTime } from './play-time.ts';
import { keyFailure, protectedSettings } from './protected.ts';
import { qualitiesOf, qualityFor } from './qualities.ts';
import type { Quality } from './qualities.ts';
import { nextStep, nothingTried, played } from './recovery.ts';
import type { Failure } from './recovery.ts';
import { hlsSettings, usefulBandwidth } from './settings.ts';
import { watchForTheEnd } from './show-end.ts';
import type { ErrorCode } from './state.ts';

export type Engine = {
  /** Seconds behind the live edge, and where the engine wants to be; null when not live. */
  live(): { latency: number; target: number; position: number } | null;
  /** What is listed; null before anything is. */
  window(): Window | null;
  /** ms since 1970. */
  dateAt(time: number): number | null;
  /** Time of the show = time of the media element + origin; null before the first media. */
  origin(): number | null;
  sounds(): readonly Choice[];
  sound(): string | null;
  chooseSound(id: string): void;
  /** The best first. */
  qualities(): readonly Quality[];
  /** Null: by itself. */
  chosenQuality(): string | null;
  /** What is shown now; null before the first picture. */
  quality(): string | null;
  chooseQuality(id: string | null): void;
  retryNow(): void;
  destroy(): void;
};

export type EngineEvents = {
  /** The network failed and will be tried again. */
  onNetworkLost(): void;
  onNetworkBack(): void;
  /** The server answered that there is no such media. */
  onMissing(): void;
  /** The list of what can be played has changed. */
  onListed(): void;
  onSounds(): void;
  onQualities(): void;
  onGiveUp(code: ErrorCode, what: string): void;
};

export type EngineStart = {
  readonly source: string;
  readonly live: boolean;
  /** On the clock of the media element; null: the live edge, or the beginning. */
  readonly at: number | null;
  /** Playlists past the browser's cache. */
  readonly fresh: boolean;
};

/** Media never changes under its name; playlists of a recording do when its owner trims it, or protects it otherwise. */
const pastTheCache = (request: XMLHttpRequest, url: string): void => {
  if (!/\.m3u8(?:\?|$)/.test(url)) return;
  if (request.readyState === XMLHttpRequest.UNSENT) request.open('GET', url, true);
  request.setRequestHeader('cache-control', 'no-cache');
};

/** What can be chosen without another sound. */
const listed = (of: HlsClass): readonly Quality[] => qualitiesOf(of.levels, [of.currentLevel, of.loadLevel, of.firstLevel].find((level) => level >= 0));

/** Where data is to be saved nothing larger comes unasked: that is less than the screen of any phone shows. */
const savingHeight = '480';

const idOf = (level: number): string | null => (level < 0 ? null : String(level));

/** Holes of rungs are over by then, as a rule. */
const uncappedMs = 60_000;

const afterMs = (milliseconds: number, run: () => void): (() => void) => {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
};

/** An error of ours for each error of theirs. */
const failureOf = (Hls: typeof HlsClass, data: ErrorData, list: Pick<Failure, 'ended' | 'sealed'>): Failure => {
  const { ErrorTypes, ErrorDetails } = Hls;
  const manifest =
    data.details === ErrorDetails.MANIFEST_LOAD_ERROR ||
    data.details === ErrorDetails.MANIFEST_LOAD_TIMEOUT ||
    data.details === ErrorDetails.MANIFEST_PARSING_ERROR;
  const codec = data.details === ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR || data.details === ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR;
  const known = codec ? 'codec' : data.type === ErrorTypes.NETWORK_ERROR ? 'network' : data.type === ErrorTypes.MEDIA_ERROR ? 'media' : 'other';
  const kind = keyFailure(Hls, data) ?? known;
  return { kind, status: data.response?.code ?? 0, manifest, ...list, insecure: !isSecureContext };
};

export const startHls = (
  Hls: typeof HlsClass,
  video: HTMLVideoElement,
  { source, live, at, fresh }: EngineStart,
  events: EngineEvents,
): Engine => {
  const tried = nothingTried();
  let pastCaches = fresh;
  let hls: HlsClass;
  let origin: number | null = null;
  let pending: { timer: ReturnType<typeof setTimeout>; run: () => void } | null = null;
  const cancel = (): void => {
    if (pending) clearTimeout(pending.timer);
    pending = null;
  };
  const later = (milliseconds: number, action: () => void): void => {
    cancel();
    const run = (): void => {
      cancel();
      action();
    };
    pending = { timer: setTimeout(run, milliseconds), run };
  };
  const whatIsListed = (): Pick<Failure, 'ended' | 'sealed'> => {
    const details = hls.latestLevelDetails;
    return { ended: !live && details?.live === false, sealed: details?.fragments.some(({ encrypted }) => encrypted) ?? false };
  };
  const onFatal = (data: ErrorData): void => {
    const failure = failureOf(Hls, data, whatIsListed());
    // Sound and picture miss the same key, one after the other: that is one try, and both are resumed by it.
    if (failure.kind === 'keys' && failure.status === 404 && pending) return;
    const step = nextStep(failure, tried, Math.random);
    switch (step.do) {
      case 'load-again':
        later(step.after, () => hls.loadSource(source));
        return events.onNetworkLost();
      case 'resume':
        later(step.after, () => hls.startLoad());
        return events.onNetworkLost();
      case 'recover-media':
        if (step.swapAudio) hls.swapAudioCodec();
        hls.recoverMediaError();
        return;
      case 'read-anew':
        pastCaches = true;
        hls.destroy();
        hls = build(video.currentTime);
        return;
      case 'rebuild': {
        const { currentTime } = video;
        hls.destroy();
        // A new list of a live show counts from another zero; a recording goes on where it was.
        hls = build(live ? null : currentTime);
        return;
      }
      case 'give-up':
        cancel();
        hls.stopLoad();
        return events.onGiveUp(
          step.code,
          `${data.type} ${data.details} ${data.response?.code ?? ''} ${data.error.message}`,
        );
    }
  };
  const size = keptChoice({ isFree: () => hls.autoLevelEnabled, play: (level) => (hls.loadLevel = level) }, afterMs);
  let recap: (() => void) | null = null;
  /** No size of those that fit the window can be had: for a while a larger one is better than none. */
  const uncap = (of: HlsClass): void => {
    if (of.autoLevelCapping < 0 || of.autoLevelCapping >= of.levels.length - 1) return;
    if (savesData()) {
      of.autoLevelCapping = -1;
      return;
    }
    of.capLevelToPlayerSize = false;
    recap?.();
    recap = afterMs(uncappedMs, () => (of.capLevelToPlayerSize = true));
  };
  const build = (from: number | null): HlsClass => {
    recap?.();
    const settings = hlsSettings({ live, saving: savesData(), knownBandwidth: usefulBandwidth(remembered('bandwidth')) });
    const made = new Hls({
      ...settings,
      ...protectedSettings(Hls, opensByItself(video)),
      ...(from === null ? {} : { startPosition: from }),
      ...(pastCaches ? { xhrSetup: pastTheCache } : {}),
    });
    made.on(Hls.Events.ERROR, (_event, data) => {
      if (data.response?.code === 404 || data.response?.code === 410) events.onMissing();
      size.failed();
      if (data.details === Hls.ErrorDetails.FRAG_GAP && data.errorAction?.nextAutoLevel === undefined) uncap(made);
      if (data.fatal) onFatal(data);
    });
    made.on(Hls.Events.FRAG_BUFFERED, (_event, { frag }) => {
      if (frag.type === 'main') size.came(frag.level);
      if (tried.network > 0 || tried.missing > 0) events.onNetworkBack();
      tried.network = 0;
      tried.missing = 0;
    });
    made.on(Hls.Events.INIT_PTS_FOUND, (_event, { initPTS, timescale }) => {
      // Our media counts from the beginning of the show, in every epoch.
      origin = initPTS / timescale;
    });
    made.on(Hls.Events.LEVEL_UPDATED, () => events.onListed());
    made.on(Hls.Events.MANIFEST_PARSED, () => {
      const most = savesData() ? qualityFor(listed(made), savingHeight) : null;
      if (most !== null) made.autoLevelCapping = Number(most);
      // Before the first fragment is asked for: whoever chose something small has a line to spare.
      const wanted = qualityFor(listed(made), rememberedForToday('quality'));
      size.choose(wanted === null ? null : Number(wanted));
      if (wanted !== null) made.loadLevel = Number(wanted);
      events.onQualities();
    });
    made.on(Hls.Events.LEVELS_UPDATED, () => events.onQualities());
    made.on(Hls.Events.LEVEL_SWITCHED, () => events.onQualities());
    made.on(Hls.Events.AUDIO_TRACKS_UPDATED, () => {
      const wanted = soundFor(choicesOf(made), remembered('sound'));
      if (wanted !== null && Number(wanted) !== made.audioTrack) made.audioTrack = Number(wanted);
      events.onSounds();
    });
    made.on(Hls.Events.AUDIO_TRACK_SWITCHED, () => events.onSounds());
    made.attachMedia(video);
    made.loadSource(source);
    return made;
  };
  const choicesOf = (of: HlsClass): readonly Choice[] =>
    of.audioTracks.map(({ lang, name }, index) => ({ id: String(index), language: lang ?? '', label: name }));
  hls = build(at);
  const unwatchTime = watchPlayTime(video, (seconds) => played(seconds, tried));
  const isOver = (): boolean => live && hls.latestLevelDetails?.live === false;
  const unwatch = watchForTheEnd(video, isOver, () => {
    for (const type of ['video', 'audio'] as const) hls.trigger(Hls.Events.BUFFER_EOS, { type });
  });
  return {
    live() {
      const position = hls.liveSyncPosition;
      const isLive = hls.latestLevelDetails?.live === true;
      return isLive && position !== null ? { latency: hls.latency, target: hls.targetLatency ?? 0, position } : null;
    },
    window() {
      const details = hls.latestLevelDetails;
      return details ? { from: details.fragmentStart, to: details.edge } : null;
    },
    dateAt: (time) => dateAt(hls.latestLevelDetails?.fragments ?? [], time),
    origin: () => origin,
    sounds: () => choicesOf(hls),
    sound: () => (hls.audioTrack < 0 ? null : String(hls.audioTrack)),
    chooseSound(id) {
      const chosen = choicesOf(hls).find((choice) => choice.id === id);
      if (!chosen) return;
      remember('sound', chosen.language || chosen.label);
      hls.audioTrack = Number(id);
    },
    qualities: () => listed(hls),
    chosenQuality: () => idOf(size.level() ?? -1),
    quality: () => idOf(hls.currentLevel),
    chooseQuality(id) {
      const chosen = listed(hls).find((quality) => quality.id === id);
      rememberForToday('quality', chosen?.height ? String(chosen.height) : null);
      size.choose(chosen ? Number(chosen.id) : null);
      // What is buffered in another size is played on, as far as that takes to load the chosen one.
      if (chosen) hls.nextLevel = Number(chosen.id);
      else hls.loadLevel = -1;
      events.onQualities();
    },
    retryNow: () => pending?.run(),
    destroy() {
      cancel();
      size.rest();
      recap?.();
      unwatch();
      unwatchTime();
      const bandwidth = hls.bandwidthEstimate;
      if (Number.isFinite(bandwidth)) remember('bandwidth', String(Math.round(bandwidth)));
      hls.destroy();
    },
  };
};
