/** The languages of live captions: a short list, added to by a choice and shortened by a press. */
import { useId } from 'preact/hooks';
import { captionLanguages } from '../../lib/languages.ts';
import { t } from '../../words/index.ts';
import { languageText } from './choices.ts';

const most = 4;

export const LanguageList = ({ tags, onTags }: { tags: readonly string[]; onTags: (tags: readonly string[]) => void }) => {
  const id = useId();
  const free = captionLanguages.filter((tag) => !tags.includes(tag));
  return (
    <div class="field">
      <label for={id}>{t('room.captions')}</label>
      {tags.length > 0 && (
        <ul class="chips">
          {tags.map((tag) => (
            <li key={tag}>
              {languageText(tag)}
              <button
                type="button"
                aria-label={t('room.captions.removeNamed', { name: languageText(tag) })}
                onClick={() => onTags(tags.filter((other) => other !== tag))}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
      {tags.length < most && (
        <select
          id={id}
          class="input"
          name="captions"
          value=""
          onChange={(event) => {
            const tag = event.currentTarget.value;
            if (free.includes(tag)) onTags([...tags, tag]);
            event.currentTarget.value = '';
          }}
        >
          <option value="">{t('room.captions.add')}</option>
          {free.map((tag) => (
            <option key={tag} value={tag}>
              {languageText(tag)}
            </option>
          ))}
        </select>
      )}
      <p class="hint">{t('room.captions.hint', { count: most })}</p>
    </div>
  );
};
