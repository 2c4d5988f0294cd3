/** Whether the server is well: whether it takes work, how full its disk is and what files are converted with, how far shut in. */
import { bytesText } from '../../lib/format.ts';
import { Progress } from '../../parts/progress.tsx';
import { Skeleton } from '../../parts/states.tsx';
import { useEvery, useLoaded } from '../../state/use.ts';
import { language, t } from '../../words/index.ts';

const levels = ['ok', 'warn', 'refuse', 'stop'] as const;
type Level = (typeof levels)[number];

const sandboxes = ['full', 'no-network', 'limits', 'bare'] as const;
type Sandbox = (typeof sandboxes)[number];

type Facts = {
  readonly state: 'ready' | 'notReady' | 'unreachable';
  readonly disk: { readonly level: Level; readonly free: number; readonly total: number } | null;
  /** With what, and behind which walls, files are converted. `refused`: why none are. */
  readonly converting: { readonly ffmpeg: string | null; readonly sandbox: Sandbox | null; readonly refused: string | null } | null;
};

const fieldOf = (from: unknown, name: string): unknown =>
  typeof from === 'object' && from !== null ? (from as Record<string, unknown>)[name] : undefined;

const diskOf = (body: unknown): Facts['disk'] => {
  const disk = fieldOf(body, 'disk');
  const level = levels.find((known) => known === fieldOf(disk, 'level'));
  const [free, total] = [Number(fieldOf(disk, 'free')), Number(fieldOf(disk, 'total'))];
  return level && total > 0 && free >= 0 ? { level, free, total } : null;
};

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

const convertingOf = (body: unknown): Facts['converting'] => {
  const told = fieldOf(body, 'converting');
  if (told === undefined) return null;
  const sandbox = sandboxes.find((known) => known === fieldOf(told, 'sandbox')) ?? null;
  return { sandbox, ffmpeg: textOf(fieldOf(told, 'ffmpeg')), refused: textOf(fieldOf(told, 'refused')) };
};

const ask = async (): Promise<Facts> => {
  try {
    const answer = await fetch('/readyz', { cache: 'no-store' });
    const body: unknown = await answer.json().catch(() => null);
    return { state: answer.ok ? 'ready' : 'notReady', disk: diskOf(body), converting: convertingOf(body) };
  } catch {
    return { state: 'unreachable', disk: null, converting: null };
  }
};

export const ServerState = () => {
  const facts = useLoaded('health', ask);
  useEvery(5_000, facts.reload);
  if (facts.now.is !== 'here') return <Skeleton lines={1} />;
  const { state, disk, converting } = facts.now.value;
  return (
    <section class="card" aria-labelledby="state">
      <h2 id="state">{t('admin.state')}</h2>
      <p class="row">
        <span class={`badge ${state === 'ready' ? 'good' : 'waiting'}`}>{t(`admin.state.${state}`)}</span>
        <span class="soft">
          {state === 'unreachable'
            ? t('problem.unreachable')
            : t(state === 'ready' ? 'admin.state.ready.text' : 'admin.state.notReady.text')}
        </span>
      </p>
      <dl class="facts">
        {disk && <Disk {...disk} />}
        {converting && <Converting {...converting} />}
      </dl>
    </section>
  );
};

const Disk = ({ level, free, total }: NonNullable<Facts['disk']>) => {
  const tongue = language.get();
  const words = t('admin.disk.text', { free: bytesText(tongue, free), size: bytesText(tongue, total) });
  return (
    <>
      <dt>{t('admin.disk')}</dt>
      <dd>
        <div class={`used ${level === 'ok' ? '' : 'warn'}`}>
          <span>
            {words} · {t(`admin.disk.${level}`)}
          </span>
          <Progress label={t('admin.disk')} share={1 - free / total} words={words} still />
        </div>
      </dd>
    </>
  );
};

const Converting = ({ ffmpeg, sandbox, refused }: NonNullable<Facts['converting']>) => (
  <>
    <dt>{t('admin.converting')}</dt>
    <dd>
      {refused === null ? t('admin.converting.with', { version: ffmpeg ?? '' }) : t('admin.converting.refused')}
      {refused !== null && <small>{t('failure.said', { detail: refused })}</small>}
    </dd>
    {sandbox !== null && (
      <>
        <dt>{t('admin.sandbox')}</dt>
        <dd>
          <span class="row">
            <span class={`badge ${sandbox === 'full' ? 'good' : 'warn'}`}>{t(`admin.sandbox.${sandbox}`)}</span>
          </span>
          <small>{t(`admin.sandbox.${sandbox}.text`)}</small>
        </dd>
      </>
    )}
  </>
);
