/** Where files come in: the whole page takes a drop, and a button opens the file chooser. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../../parts/button.tsx';
import { Icon } from '../../../parts/icons.tsx';
import { toast } from '../../../parts/toasts.tsx';
import { t } from '../../../words/index.ts';

/** What the chooser offers first. Anything can be chosen all the same: the server looks at the bytes, not at the name. */
const offered = 'video/*,audio/*,.mkv,.mov,.mp4,.m4v,.webm,.avi,.ts,.m2ts,.mts,.flv,.mxf,.wmv,.3gp,.mpg,.mpeg,.ogv';

const bringsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;

/** A folder arrives as a file that cannot be read; browsers tell the two apart only here. */
const filesOf = (transfer: DataTransfer): { files: File[]; folders: boolean } => {
  const files: File[] = [];
  let folders = false;
  for (const item of transfer.items) {
    if (item.kind !== 'file') continue;
    if (item.webkitGetAsEntry()?.isDirectory) folders = true;
    else {
      const file = item.getAsFile();
      if (file) files.push(file);
    }
  }
  return { files, folders };
};

/** True while files are dragged over the page. */
const usePageDrop = (onFiles: (files: readonly File[]) => void): boolean => {
  const [over, setOver] = useState(false);
  const latest = useRef(onFiles);
  latest.current = onFiles;
  useEffect(() => {
    // Entering a child comes before leaving its parent: counted, the page is left when nothing is over it.
    let depth = 0;
    const on = <K extends 'dragenter' | 'dragover' | 'dragleave' | 'drop'>(name: K, hear: (event: DragEvent) => void): void =>
      addEventListener(name, hear, { signal: gone.signal });
    const gone = new AbortController();
    on('dragenter', (event) => {
      if (!bringsFiles(event)) return;
      depth += 1;
      setOver(true);
    });
    on('dragleave', (event) => {
      if (!bringsFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    });
    on('dragover', (event) => {
      if (!bringsFiles(event)) return;
      // Without this the browser would open the file in the place of the page.
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
    });
    on('drop', (event) => {
      if (!event.dataTransfer || !bringsFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      const { files, folders } = filesOf(event.dataTransfer);
      if (folders) toast(t('upload.nothing'));
      if (files.length > 0) latest.current(files);
    });
    return () => gone.abort();
  }, []);
  return over;
};

type ChooserProps = {
  many?: boolean;
  primary?: boolean;
  slim?: boolean;
  name?: string;
  onFiles: (files: readonly File[]) => void;
  children: ComponentChildren;
};

export const FileButton = ({ many, primary, slim, name, onFiles, children }: ChooserProps) => {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button
        {...(primary ? { look: 'primary' as const } : {})}
        slim={slim ?? false}
        {...(name === undefined ? {} : { 'aria-label': name })}
        onPress={() => input.current?.click()}
      >
        {children}
      </Button>
      <input
        ref={input}
        class="off-screen"
        type="file"
        accept={offered}
        multiple={many ?? false}
        tabIndex={-1}
        aria-hidden="true"
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          // The same file again is another choice: it goes on where it stopped.
          event.currentTarget.value = '';
          if (files.length > 0) onFiles(files);
        }}
      />
    </>
  );
};

type DropZoneProps = {
  /** Files are here already: the zone makes room for them. */
  small: boolean;
  onFiles: (files: readonly File[]) => void;
  children?: ComponentChildren;
};

export const DropZone = ({ small, onFiles, children }: DropZoneProps) => {
  const over = usePageDrop(onFiles);
  return (
    <div class={`drop ${small ? 'small' : ''} ${over ? 'over' : ''}`}>
      <Icon name="upload" />
      <div>
        <h2>{over ? t('upload.drop.now') : t('upload.drop.title')}</h2>
        <p class="small soft">{t('upload.drop.or')}</p>
      </div>
      <FileButton many primary onFiles={onFiles}>
        {small ? t('upload.more') : t('upload.choose')}
      </FileButton>
      {children}
    </div>
  );
};
