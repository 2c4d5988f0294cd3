/** Whether the server is well: whether it takes work, how full its disk is, how far uploads are shut in. */
import { bytesText } from '../../lib/format.ts';
import { Progress } from '../../parts/progress.tsx';
import { Skeleton } from '../../parts/states.tsx';
import { useEvery, useLoaded } from '../../state/use.ts';
import { language, t } from '../../words/index.ts';

const levels = ['ok', 'warn', 'refuse', 'stop'] as const;
type Level = (typeof levels)[number];

type Facts = {
  readonly state: 'ready' | 'notReady' | 'unreachable';
  readonly disk: { readonly level: Level; readonly free: number; readonly total: number } | null;
  /** As the server calls it. */
  readonly sandbox: { readonly level: string } | null;
};

const fieldOf = (from: unknown, name: string): unknown =>
  typeof from === 'object' && from !== null ? (from as Record<string, unknown>)[name] : undefined;

const diskOf = (body: unknown): Facts['disk'] => {
  const disk = fieldOf(body, 'disk');
  const level = levels.find((known) => known === fieldOf(disk, 'level'));
  const [free, total] = [Number(fieldOf(disk, 'free')), Number(fieldOf(disk, 'total'))];
  return level && total > 0 && free >= 0 ? { level, free, total } : null;
};

const sandboxOf = (body: unknown): Facts['sandbox'] => {
  const level = fieldOf(fieldOf(body, 'sandbox'), 'level');
  return typeof level === 'string' ? { level } : null;
};

const ask = async (): Promise<Facts> => {
  try {
    const answer = await fetch('/readyz', { cache: 'no-store' });
    const body: unknown = await answer.json().catch(() => null);
    return { state: answer.ok ? 'ready' : 'notReady', disk: diskOf(body), sandbox: sandboxOf(body) };
  } catch {
    return { state: 'unreachable', disk: null, sandbox: null };
  }
};

export const ServerState = () => {
  const facts = useLoaded('health', ask);
  useEvery(5_000, facts.reload);
  if (facts.now.is !== 'here') return <Skeleton lines={1} />;
  const { state, disk, sandbox } = facts.now.value;
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
        {sandbox && (
          <>
            <dt>{t('admin.sandbox')}</dt>
            <dd>{sandbox.level}</dd>
          </>
        )}
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
