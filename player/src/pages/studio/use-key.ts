/** The stream key of a channel: hidden until asked for, replaced in one step. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { ShownKey, StreamKey } from '../../api/types.ts';
import { problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import { useLoaded } from '../../state/use.ts';
import type { Loading } from '../../state/use.ts';
import { t } from '../../words/index.ts';

export type ChannelKey = {
  readonly list: Loading<StreamKey | null>;
  /** The key itself while it is shown, with the addresses that hold it. */
  readonly shown: ShownKey | null;
  show(): Promise<void>;
  hide(): void;
  /** Brings the key without showing it; null when that failed, and the person has been told. */
  bring(): Promise<ShownKey | null>;
  changed(key: StreamKey): void;
  /** The new key works before the old one stops. */
  rotate(): Promise<void>;
};

export const useChannelKey = (channel: string): ChannelKey => {
  const list = useLoaded(`key ${channel}`, async () => (await api.streamKeys(channel)).items[0] ?? null);
  const [known, setKnown] = useState<ShownKey | null>(null);
  const [visible, setVisible] = useState(false);
  const current = list.now.is === 'here' ? list.now.value : null;
  useEffect(() => {
    setKnown((key) => (key?.id === current?.id ? key : null));
  }, [current?.id]);

  const bring = async (): Promise<ShownKey | null> => {
    if (known) return known;
    if (!current) return null;
    try {
      const key = await api.revealKey(channel, current.id);
      setKnown(key);
      return key;
    } catch (error) {
      toast(problemText(ApiProblem.from(error)));
      return null;
    }
  };
  return {
    list,
    shown: visible ? known : null,
    bring,
    show: async () => setVisible((await bring()) !== null),
    hide: () => setVisible(false),
    changed: (key) => list.replace(key),
    async rotate() {
      // It may be used from where the old one was, and from nowhere else.
      const { allowedNetworks } = current ?? {};
      const made = await api.createKey(channel, allowedNetworks === undefined ? {} : { allowedNetworks });
      if (current) await api.deleteKey(channel, current.id);
      setKnown(made);
      list.replace(made);
      toast(t('room.key.rotated'));
    },
  };
};
