/** Chapters as their owner types them: one a line, and whatever is wrong is said with its line. */
import { useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import type { Video } from '../../api/types.ts';
import { chapterLines, longestTitle, mostChapters, readChapters, shownLength } from '../../lib/chapters.ts';
import type { LineFault } from '../../lib/chapters.ts';
import { Button } from '../../parts/button.tsx';
import { Notice, TextArea } from '../../parts/field.tsx';
import { problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import { useSending } from '../../state/use-form.ts';
import { t } from '../../words/index.ts';

const longest = 100_000;
/** More faults than these are not read. */
const mostSaid = 5;

const faultText = ({ line, fault }: LineFault): string => {
  const words = fault === 'long' ? t('chapters.fault.long', { count: longestTitle }) : fault === 'many' ? t('chapters.fault.many', { count: mostChapters }) : t(`chapters.fault.${fault}`);
  return t('chapters.fault', { line, words });
};

const faultsText = (faults: readonly LineFault[]): string | null => {
  if (faults.length === 0) return null;
  const more = faults.length - mostSaid;
  return [...faults.slice(0, mostSaid).map(faultText), ...(more > 0 ? [t('chapters.fault.more', { count: more })] : [])].join('\n');
};

export const ChaptersCard = ({ video, onChanged }: { video: Video; onChanged: (video: Video) => void }) => {
  const known = video.chapters ?? [];
  const saved = chapterLines(known);
  /** And over which lines: they change under the hand when the video is trimmed, or when those of its file are found. Null: nothing. */
  const [typed, setTyped] = useState<{ text: string; over: string } | null>(null);
  const text = typed?.text ?? saved;
  /** Nobody is corrected while the line is still being typed. */
  const [left, setLeft] = useState(false);
  const sending = useSending();
  const { chapters, faults } = readChapters(text, shownLength(video), known);
  const same = chapterLines(chapters) === saved && faults.length === 0;
  const showSaved = (): void => {
    setTyped(null);
    setLeft(false);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    setLeft(true);
    if (faults.length > 0 || same) return;
    sending.run(async () => {
      onChanged(await api.changeVideo(video.id, { chapters }));
      showSaved();
      toast(t(chapters.length === 0 ? 'chapters.removed' : 'chapters.saved'));
    });
  };
  return (
    <section class="card" aria-labelledby="chapters-edit">
      <header>
        <h2 id="chapters-edit">{t('chapters.title')}</h2>
        <p class="small soft">{t('chapters.text')}</p>
      </header>
      <form class="form chapter-form" onSubmit={submit} noValidate>
        {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
        {typed && typed.over !== saved && !same && (
          <div class="notice warn row" role="status">
            <span>{t('chapters.changed')}</span>
            <Button slim onPress={showSaved}>
              {t('chapters.showSaved')}
            </Button>
          </div>
        )}
        <TextArea
          label={t('chapters.label')}
          name="chapters"
          value={text}
          onValue={(value) => setTyped(value === saved ? null : { text: value, over: typed?.over ?? saved })}
          onLeave={() => setLeft(true)}
          hint={t('chapters.hint')}
          fault={left ? faultsText(faults) : null}
          maxLength={longest}
          rows={6}
        />
        <div class="form-foot">
          <Button look="primary" submit busy={sending.busy || same}>
            {sending.busy ? t('room.saving') : t('room.save')}
          </Button>
        </div>
      </form>
    </section>
  );
};
