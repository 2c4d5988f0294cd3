/** Who may use the server, how much each keeps, and how much each may. */
import { useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import { rungPolicies } from '../../api/types.ts';
import type { Account, Rungs } from '../../api/types.ts';
import { bytesText } from '../../lib/format.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog, DialogEnd } from '../../parts/dialog.tsx';
import { ChoiceField, Notice, TextField } from '../../parts/field.tsx';
import { Progress } from '../../parts/progress.tsx';
import { problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import { useSending } from '../../state/use-form.ts';
import { language, t } from '../../words/index.ts';

type Props = { accounts: readonly Account[]; onChanged: () => void };

export const AccountTable = ({ accounts, onChanged }: Props) => {
  const [changing, setChanging] = useState<Account | null>(null);
  return (
    <div class="table-wrap">
      <table>
        <thead>
          <tr>
            <th scope="col">{t('account.username')}</th>
            <th scope="col">{t('admin.role')}</th>
            <th scope="col">{t('admin.used')}</th>
            <th scope="col">{t('admin.limit')}</th>
          </tr>
        </thead>
        <tbody>
          {accounts.map((account) => (
            <tr key={account.id}>
              <td>{account.username}</td>
              <td>{t(`admin.role.${account.role}`)}</td>
              <td>
                <Used account={account} />
              </td>
              <td>
                <div class="row">
                  <span>{limitText(account)}</span>
                  {/* Who only watches keeps nothing. */}
                  {account.role !== 'viewer' && account.quota !== undefined && (
                    <Button
                      slim
                      aria-label={t('admin.quota.changeNamed', { name: account.username })}
                      onPress={() => setChanging(account)}
                    >
                      {t('admin.quota.change')}
                    </Button>
                  )}
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {changing && (
        <ChangeQuota
          account={changing}
          onClose={() => setChanging(null)}
          onChanged={() => {
            setChanging(null);
            onChanged();
          }}
        />
      )}
    </div>
  );
};

const limitText = ({ limit }: Account): string =>
  typeof limit === 'number' ? bytesText(language.get(), limit) : t('admin.limit.none');

const Used = ({ account: { username, used = 0, limit } }: { account: Account }) => {
  const words = bytesText(language.get(), used);
  return (
    <div class="used">
      <span>{words}</span>
      {typeof limit === 'number' && (
        <Progress label={`${username}: ${t('admin.used')}`} share={Math.min(1, used / Math.max(1, limit))} words={words} still />
      )}
    </div>
  );
};

const gigabyte = 1e9;
const rungChoices: readonly (Rungs | 'usual')[] = ['usual', ...rungPolicies];

/** Null: not a size. An empty field is one: the usual. */
const quotaOf = (text: string): { readonly quota: number | null } | null => {
  const plain = text.trim().replace(',', '.');
  if (plain === '') return { quota: null };
  const bytes = Math.round(Number(plain) * gigabyte);
  return Number.isSafeInteger(bytes) && bytes >= 0 ? { quota: bytes } : null;
};

const ChangeQuota = ({ account, onClose, onChanged }: { account: Account; onClose: () => void; onChanged: () => void }) => {
  const { quota } = account;
  const [text, setText] = useState(typeof quota === 'number' ? String(quota / gigabyte) : '');
  const [rungs, setRungs] = useState(account.rungs);
  const sending = useSending();
  const wanted = quotaOf(text);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!wanted) return;
    sending.run(async () => {
      await api.changeAccount(account.id, { ...wanted, ...(rungs === undefined || rungs === account.rungs ? {} : { rungs }) });
      toast(t('room.saved'));
      onChanged();
    });
  };
  return (
    <Dialog title={t('admin.quota.title', { name: account.username })} onClose={onClose}>
      <form class="form" onSubmit={submit} noValidate>
        {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
        <TextField
          label={t('admin.quota.label')}
          name="quota"
          value={text}
          onValue={setText}
          hint={t('admin.quota.hint')}
          fault={wanted ? null : t('admin.quota.wrong')}
          maxLength={15}
          plain
          focus
        />
        {rungs !== undefined && (
          <ChoiceField
            label={t('rungs.label')}
            name="rungs"
            value={rungs ?? 'usual'}
            options={rungChoices.map((choice) => [choice, t(`rungs.${choice}`)] as const)}
            onValue={(choice) => setRungs(choice === 'usual' ? null : choice)}
            hint={t('rungs.hint')}
          />
        )}
        <DialogEnd busy={sending.busy} words={t('room.save')} onClose={onClose} />
      </form>
    </Dialog>
  );
};
