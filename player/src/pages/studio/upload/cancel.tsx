/** The question before an upload or an import is given up: what has arrived of it goes. */
import { Confirm } from '../../../parts/dialog.tsx';
import { t } from '../../../words/index.ts';

type Props = { name: string; busy: boolean; onYes: () => void; onNo: () => void };

export const ConfirmCancel = ({ name, ...rest }: Props) => (
  <Confirm
    title={t('upload.cancel.title')}
    text={t('upload.cancel.text', { name })}
    yes={t('upload.cancel.do')}
    no={t('upload.cancel.keep')}
    {...rest}
  />
);
