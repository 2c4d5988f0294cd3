/** hls.js tied to one media element: loading, recovery and the live edge. It knows nothing of pages. */
import type HlsClass from 'hls.js';
import type { ErrorData } from 'hls.js';
import { remember, remembered } from '../state/remembered.ts';
import { nextStep, nothingTried } from './recovery.ts';
import type { Failure } from './recovery.ts';
import { hlsSettings, usefulBandwidth } from './settings.ts';
import type { ErrorCode } from './state.ts';

export type Engine = {
  /** Seconds behind the live edge, and where the engine wants to be; null when not live. */
  live(): { latency: number; target: number; position: number } | null;
  retryNow(): void;
  destroy(): void;
};

export type EngineEvents = {
  /** The network failed and will be tried again. */
  onNetworkLost(): void;
  onNetworkBack(): void;
  onGiveUp(code: ErrorCode, what: string): void;
};

/** An error of ours for each error of theirs. */
const failureOf = (Hls: typeof HlsClass, data: ErrorData): Failure => {
  const { ErrorTypes, ErrorDetails } = Hls;
  const manifest =
    data.details === ErrorDetails.MANIFEST_LOAD_ERROR ||
    data.details === ErrorDetails.MANIFEST_LOAD_TIMEOUT ||
    data.details === ErrorDetails.MANIFEST_PARSING_ERROR;
  const kind =
    data.type === ErrorTypes.NETWORK_ERROR ? 'network' : data.type === ErrorTypes.MEDIA_ERROR ? 'media' : 'other';
  return { kind, status: data.response?.code ?? 0, manifest };
};

export const startHls = (
  Hls: typeof HlsClass,
  video: HTMLVideoElement,
  source: string,
  live: boolean,
  events: EngineEvents,
): Engine => {
  const tried = nothingTried();
  let hls: HlsClass;
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

  const onFatal = (data: ErrorData): void => {
    const step = nextStep(failureOf(Hls, data), tried, Math.random);
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
      case 'rebuild':
        hls.destroy();
        hls = build();
        return;
      case 'give-up':
        cancel();
        hls.stopLoad();
        return events.onGiveUp(
          step.code,
          `${data.type} ${data.details} ${data.response?.code ?? ''} ${data.error.message}`,
        );
    }
  };

  const build = (): HlsClass => {
    const made = new Hls(hlsSettings({ live, knownBandwidth: usefulBandwidth(remembered('bandwidth')) }));
    made.on(Hls.Events.ERROR, (_event, data) => {
      if (data.fatal) onFatal(data);
    });
    made.on(Hls.Events.FRAG_BUFFERED, () => {
      if (tried.network > 0 || tried.missing > 0) events.onNetworkBack();
      tried.network = 0;
      tried.missing = 0;
    });
    made.attachMedia(video);
    made.loadSource(source);
    return made;
  };

  hls = build();
  return {
    live() {
      const position = hls.liveSyncPosition;
      const isLive = hls.latestLevelDetails?.live === true;
      return isLive && position !== null ? { latency: hls.latency, target: hls.targetLatency ?? 0, position } : null;
    },
    retryNow: () => pending?.run(),
    destroy() {
      cancel();
      const bandwidth = hls.bandwidthEstimate;
      if (Number.isFinite(bandwidth)) remember('bandwidth', String(Math.round(bandwidth)));
      hls.destroy();
    },
  };
};
