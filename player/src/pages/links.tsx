/** Links to a private video, or to what is live on a channel, to hand on: they open it to whoever has them, until they expire or are taken back. */
import { useState } from 'preact/hooks';
import { api } from '../api/endpoints.ts';
import type { LinkTarget } from '../api/endpoints.ts';
import type { HandedLink } from '../api/types.ts';
import { dateOf } from '../lib/format.ts';
import { Button } from '../parts/button.tsx';
import { CopyField } from '../parts/copy-field.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { ChoiceField, Notice, TextField } from '../parts/field.tsx';
import { Failed, problemText } from '../parts/states.tsx';
import { toast } from '../parts/toasts.tsx';
import { useSending } from '../state/use-form.ts';
import { useLoaded } from '../state/use.ts';
import { language, t } from '../words/index.ts';

const hour = 3_600_000;
const spans = { hour, day: 24 * hour, week: 7 * 24 * hour, month: 30 * 24 * hour } as const;
type Span = keyof typeof spans;

const untilText = ({ expiresAt }: HandedLink): string =>
  t('links.until', { when: new Intl.DateTimeFormat(language.get(), { dateStyle: 'medium', timeStyle: 'short' }).format(dateOf(expiresAt)) });

/** By the page's own name for this server: it was reached by it. */
const addressOf = ({ page }: HandedLink): string => {
  const { pathname, hash } = new URL(page);
  return location.origin + pathname + hash;
};

/** `open`: it opens without a link, to whoever knows its address. */
export const LinksCard = ({ to, open = false }: { to: LinkTarget; open?: boolean }) => {
  const list = useLoaded(`links ${to.kind} ${to.id}`, () => api.links(to));
  const [label, setLabel] = useState('');
  const [span, setSpan] = useState<Span>('week');
  const [ending, setEnding] = useState<HandedLink | null>(null);
  const sending = useSending();
  const items = list.now.is === 'here' ? list.now.value.items : [];
  const make = (event: Event): void => {
    event.preventDefault();
    sending.run(async () => {
      const expiresAt = new Date(Date.now() + spans[span]).toISOString();
      await api.createLink(to, { label: label.trim().normalize('NFC'), expiresAt });
      setLabel('');
      list.reload();
      toast(t('links.made'));
    });
  };
  const end = (link: HandedLink): void =>
    sending.run(async () => {
      try {
        await api.deleteLink(to, link.id);
        list.reload();
        toast(t('links.ended'));
      } finally {
        setEnding(null);
      }
    });
  const nameOf = (link: HandedLink): string => link.label || t('links.unnamed');
  return (
    <section class="card" aria-labelledby="links">
      <header>
        <h2 id="links">{t('links.title')}</h2>
        <p class="small soft">{t(`links.text.${to.kind}`)}</p>
        {open && <p class="small soft">{t('links.unlisted')}</p>}
      </header>
      {list.now.is === 'failed' && <Failed problem={list.now.problem} onRetry={list.reload} />}
      {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
      {items.length > 0 && (
        <ul class="lines">
          {items.map((link) => (
            <li key={link.id}>
              <CopyField label={nameOf(link)} name={`link-${link.id}`} value={addressOf(link)} hint={untilText(link)}>
                <div class="row">
                  <Button slim aria-label={t('links.endNamed', { name: nameOf(link) })} onPress={() => setEnding(link)}>
                    {t('links.end')}
                  </Button>
                </div>
              </CopyField>
            </li>
          ))}
        </ul>
      )}
      <form class="form" onSubmit={make} noValidate>
        <TextField label={t('links.label')} hint={t('links.label.hint')} name="link-label" value={label} onValue={setLabel} maxLength={60} />
        <ChoiceField
          label={t('links.span')}
          name="link-span"
          value={span}
          options={(Object.keys(spans) as Span[]).map((one) => [one, t(`links.span.${one}`)] as const)}
          onValue={setSpan}
        />
        <div class="form-foot">
          <Button look="primary" submit busy={sending.busy}>
            {t('links.make')}
          </Button>
        </div>
      </form>
      {ending && (
        <Confirm title={t('links.end.title')} text={t('links.end.text')} yes={t('links.end')} busy={sending.busy} onYes={() => end(ending)} onNo={() => setEnding(null)} />
      )}
    </section>
  );
};
