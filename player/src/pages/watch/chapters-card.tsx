/** Chapters as their owner types them: one a line, and whatever is wrong is said with its line. */
import { useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import type { Video } from '../../api/types.ts';
import { chapterLines, longestTitle, mostChapters, readChapters } from '../../lib/chapters.ts';
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
  const saved = chapterLines(video.chapters ?? []);
  const [text, setText] = useState(saved);
  /** Nobody is corrected while the line is still being typed. */
  const [left, setLeft] = useState(false);
  const sending = useSending();
  const { chapters, faults } = readChapters(text, video.duration);
  const same = chapterLines(chapters) === saved && faults.length === 0;
  const submit = (event: Event): void => {
    event.preventDefault();
    setLeft(true);
    if (faults.length > 0 || same) return;
    sending.run(async () => {
      const changed = await api.changeVideo(video.id, { chapters });
      onChanged(changed);
      setText(chapterLines(changed.chapters ?? chapters));
      setLeft(false);
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
        <TextArea
          label={t('chapters.label')}
          name="chapters"
          value={text}
          onValue={setText}
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
