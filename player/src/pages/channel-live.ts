/** A channel's page in one place: what the server says is happening, and the playlist that fits it. */
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { api } from '../api/endpoints.ts';
import { follow } from '../api/follow-browser.ts';
import type { ChannelNow } from '../api/follow.ts';
import { askedLink } from '../api/head-start.ts';
import { ApiProblem } from '../api/problem.ts';
import type { Channel } from '../api/types.ts';
import { backOff } from '../lib/back-off.ts';

/** It is seen by the link that this page was opened by: without it there would be nothing. */
export const isByLink = ({ visibility, ingest }: Channel): boolean => visibility === 'private' && ingest === undefined;

/** Until the socket has spoken, the channel's own record tells whether it is live. */
export const fromRecord = (channel: Channel): ChannelNow => ({
  state: channel.live ? 'live' : 'offline',
  videoId: channel.live?.videoId ?? null,
  startedAt: channel.live?.startedAt ?? null,
  viewers: channel.live?.viewers ?? 0,
  title: channel.title,
});

export const useChannelNow = (name: string | null, channel: Channel | null): ChannelNow | null => {
  const [heard, setHeard] = useState<{ name: string; now: ChannelNow } | null>(null);
  useEffect(() => (name === null ? undefined : follow(name, (now) => setHeard({ name, now }))), [name]);
  if (heard && heard.name === name) return heard.now;
  return channel && fromRecord(channel);
};

export type Source = { readonly video: string; readonly hls: string };

export type LiveSource = {
  readonly source: Source | null;
  /** Why what is live now does not play. */
  readonly problem: ApiProblem | null;
  renew(): void;
  /** It was stopped from elsewhere, and is to go on here. */
  here(): Promise<void>;
};

/**
 * The playlist of what is live. It stays after the end, so that a viewing runs to its last second, and it changes by
 * itself when another broadcast begins. `away`: the viewer is busy with what was on before, and is not torn from it.
 */
export const useLiveSource = (now: ChannelNow | null, away: boolean): LiveSource => {
  const [source, setSource] = useState<Source | null>(null);
  const [turn, setTurn] = useState(0);
  const [refused, setRefused] = useState<{ readonly video: string; readonly problem: ApiProblem } | null>(null);
  const video = !away && now && (now.state === 'live' || now.state === 'waiting') ? now.videoId : null;
  const idle = now?.state === 'starting' && !away;
  useLayoutEffect(() => {
    if (video === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let current = true;
    const ask = async (attempt: number): Promise<void> => {
      try {
        const { hls } = await api.playVideo(video, askedLink());
        if (!current) return;
        setRefused(null);
        setSource({ video, hls });
      } catch (error) {
        if (!current) return;
        const failure = ApiProblem.from(error);
        const final = failure.status === 401 || failure.status === 403;
        if (final) {
          setRefused({ video, problem: failure });
          // What it plays would be refused as well; and the same address is to begin anew afterwards.
          setSource(null);
        } else
          timer = setTimeout(() => void ask(attempt + 1), backOff(attempt, { first: 500, most: 8_000 }, Math.random));
      }
    };
    void ask(0);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [video, turn]);
  useEffect(() => {
    // The next broadcast is on its way: the last picture of the old one gives way.
    if (idle) setSource(null);
  }, [idle]);
  const here = async (): Promise<void> => {
    // It has ended while it was being asked for: whoever presses is told so.
    if (video === null) throw new ApiProblem(409, 'not-live', '');
    const { hls } = await api.playVideo(video, { ...askedLink(), restart: true });
    setRefused(null);
    setSource({ video, hls });
  };
  const problem = refused && refused.video === video ? refused.problem : null;
  return { source, problem, renew: () => setTurn((count) => count + 1), here };
};
