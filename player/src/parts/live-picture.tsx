/**
 * What is live just now, on a card: over the drawn water, as soon as there is a picture. Another one takes its place when it has been loaded, so nothing
 * flickers or moves; and only where somebody sees it.
 */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { onThisHost } from '../api/endpoints.ts';
import type { Channel } from '../api/types.ts';
import { savesData } from '../lib/saves-data.ts';
import { t } from '../words/index.ts';

/** Whoever pays for every megabyte gets a new one this often; everybody else whenever the list has one. */
const RARELY_MS = 60_000;

/** It is on the screen, and the tab is looked at. */
const useSeen = (at: RefObject<Element | null>): boolean => {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    let within = false;
    const look = (): void => setSeen(within && !document.hidden);
    const observer = new IntersectionObserver((entries) => {
      within = entries.at(-1)?.isIntersecting ?? within;
      look();
    });
    if (at.current) observer.observe(at.current);
    document.addEventListener('visibilitychange', look);
    return () => {
      observer.disconnect();
      document.removeEventListener('visibilitychange', look);
    };
  }, []);
  return seen;
};

/** The newest one that has been loaded; null: none yet. */
const useNewest = (wanted: string | null, seen: boolean): string | null => {
  const [shown, setShown] = useState<string | null>(null);
  const since = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (wanted === null || !seen || wanted === shown) return;
    if (savesData() && performance.now() - since.current < RARELY_MS) return;
    let current = true;
    const image = new Image();
    image.src = wanted;
    image.decode().then(
      () => {
        if (!current) return;
        since.current = performance.now();
        setShown(wanted);
      },
      () => {}, // The show is over, or the line broke: the one of before stays, and the next list may have another.
    );
    return () => {
      current = false;
    };
  }, [wanted, seen, shown]);
  return shown;
};

export const LivePicture = ({ channel }: { channel: Channel }) => {
  const place = useRef<HTMLDivElement>(null);
  const seen = useSeen(place);
  const address = channel.live?.picture ?? null;
  const shown = useNewest(address && onThisHost(address), seen);
  return (
    <div class="picture" ref={place}>
      {shown !== null && <img src={shown} alt={t('live.picture', { title: channel.title || channel.name })} decoding="async" />}
    </div>
  );
};
