/** What is asked before a job is cancelled or tried again, and how urgent it is to be. */
import { useState } from 'preact/hooks';
import { api } from '../../../api/endpoints.ts';
import type { Job } from '../../../api/work.ts';
import { Confirm, Dialog, DialogEnd } from '../../../parts/dialog.tsx';
import { Notice, TextField } from '../../../parts/field.tsx';
import { problemText } from '../../../parts/states.tsx';
import { useFootingWhenGone } from '../../../parts/title.tsx';
import { toast } from '../../../parts/toasts.tsx';
import { useSending } from '../../../state/use-form.ts';
import { t } from '../../../words/index.ts';

type Names = { readonly job: string; readonly video: string };
/** What somebody is about to do with a job. */
export type Question = { readonly job: Job; readonly names: Names; readonly what: 'cancel' | 'retry' | 'priority' };

type Props = { job: Job; onClose: () => void; onChanged: () => void };

export const JobDialog = ({ names, what, ...rest }: Question & Props) => {
  // The button that opened it may have left the page with its row.
  useFootingWhenGone();
  return what === 'priority' ? <PriorityDialog {...rest} /> : <ConfirmJob names={names} what={what} {...rest} />;
};

const ConfirmJob = ({ job, names, what, onClose, onChanged }: Props & { names: Names; what: 'cancel' | 'retry' }) => {
  const sending = useSending();
  const yes = (): void =>
    sending.run(async () => {
      await (what === 'cancel' ? api.cancelJob(job.id) : api.retryJob(job.id));
      toast(t(what === 'cancel' ? 'work.cancelled' : 'work.retried'));
      onClose();
      onChanged();
    });
  const problem = sending.problem && problemText(sending.problem);
  if (what === 'cancel') {
    return <Confirm title={t('work.cancel.title')} text={t('work.cancel.text', names)} yes={t('work.cancel.do')} no={t('work.cancel.keep')} problem={problem} busy={sending.busy} onYes={yes} onNo={onClose} />;
  }
  return <Confirm title={t('work.retry.title')} text={t('work.retry.text', names)} yes={t('work.retry')} look="primary" problem={problem} busy={sending.busy} onYes={yes} onNo={onClose} />;
};

const [least, most] = [-1000, 1000];

const PriorityDialog = ({ job, onClose, onChanged }: Props) => {
  const [text, setText] = useState(String(job.priority));
  const sending = useSending();
  const wanted = /^-?\d{1,4}$/.test(text.trim()) ? Number(text) : null;
  const fits = wanted !== null && wanted >= least && wanted <= most;
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!fits) return;
    sending.run(async () => {
      await api.prioritiseJob(job.id, wanted);
      toast(t('work.priority.changed'));
      onClose();
      onChanged();
    });
  };
  return (
    <Dialog title={t('work.priority.title')} onClose={onClose}>
      <form class="form" onSubmit={submit} noValidate>
        {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
        <TextField label={t('work.priority.label')} name="priority" value={text} onValue={setText} hint={t('work.priority.hint', { least, most })} fault={fits ? null : t('work.priority.wrong', { least, most })} maxLength={5} plain focus />
        <DialogEnd busy={sending.busy} words={t('room.save')} doing={t('room.saving')} onClose={onClose} />
      </form>
    </Dialog>
  );
};
