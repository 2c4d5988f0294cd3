/** The files of a recording, where its owner lets viewers have them. One is a button; several are a small menu. */
import { useEffect, useRef } from 'preact/hooks';
import type { Download } from '../../api/types.ts';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../words/index.ts';

const nameOf = ({ height }: Download): string =>
  height === null ? t('download.sound') : t('download.height', { height });

export const Downloads = ({ files, title }: { files: readonly Download[]; title: string }) => {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const onPress = (event: Event): void => {
      if (menu.current?.open && event.target instanceof Node && !menu.current.contains(event.target)) menu.current.open = false;
    };
    document.addEventListener('pointerdown', onPress);
    return () => document.removeEventListener('pointerdown', onPress);
  }, []);
  const [only] = files;
  if (!only) return null;
  const file = `${title.replace(/[\\/:*?"<>|]+/g, ' ').trim() || 'video'}.mp4`;
  if (files.length === 1) {
    return (
      <a class="button" href={only.url} download={file}>
        <Icon name="download" />
        {t('download.do')}
      </a>
    );
  }
  return (
    <details
      class="menu"
      ref={menu}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && menu.current) menu.current.open = false;
      }}
    >
      <summary class="button">
        <Icon name="download" />
        {t('download.do')}
      </summary>
      <ul class="menu-panel" aria-label={t('download.title')}>
        {files.map((one) => (
          <li key={one.url}>
            <a href={one.url} download={file}>
              {nameOf(one)}
            </a>
          </li>
        ))}
      </ul>
    </details>
  );
};
