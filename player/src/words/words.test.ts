import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { En } from 'media-chrome/dist/lang/en.js';
import t from 'tap';
import { parseSync } from 'vite';
import { controlsKo } from './controls-ko.ts';
import { en } from './en.ts';
import { fill } from './fill.ts';
import { ko } from './ko.ts';

const src = join(import.meta.dirname, '..');
const filesOf = (ending: string): string[] =>
  readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(src, name));

const placesOf = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort();

t.test('both catalogues say the same things, with the same places to fill', async (t) => {
  t.same(Object.keys(ko).sort(), Object.keys(en).sort());
  for (const [key, text] of Object.entries(en)) {
    const other = (ko as Record<string, string>)[key] ?? '';
    t.not(other.trim(), '', key);
    t.same(placesOf(other), placesOf(text), key);
  }
});

t.test('the controls have Korean for each text that media-chrome has', async (t) => {
  t.same(Object.keys(controlsKo).sort(), Object.keys(En).sort());
  for (const [key, text] of Object.entries(controlsKo)) t.same(placesOf(text), placesOf(key), key);
});

t.test('Korean avoids particles that depend on what is filled in', async (t) => {
  for (const [key, text] of [...Object.entries(ko), ...Object.entries(controlsKo)]) {
    t.notMatch(text, /\}(을|를|이|가|은|는|와|과|으로|로)(?![가-힣])/, key);
  }
});

t.test('every text is used somewhere', async (t) => {
  const code = [...filesOf('.tsx'), ...filesOf('.ts')]
    .filter((file) => !/words[\\/](en|ko)(-\w+)?\.ts$/.test(file) && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  // Keys put together from parts appear as templates (`live.${state}.title`); each such template covers its stems.
  const templates = [...code.matchAll(/`([\w.]*)\$\{[^}]+\}([\w.]*)`/g)].map(
    (match) => [match[1] ?? '', match[2] ?? ''] as const,
  );
  for (const key of Object.keys(en)) {
    const stem = key.replace(/\.(one|other)$/, '');
    const composed = templates.some(
      ([start, end]) =>
        start.includes('.') && stem.startsWith(start) && stem.endsWith(end) && stem.length > start.length + end.length,
    );
    t.ok(code.includes(`'${key}'`) || code.includes(`'${stem}'`) || composed, key);
  }
});

/** What a person would read in JSX: text between tags, and these attributes when they are plain strings. */
const readAttributes = new Set(['aria-label', 'aria-description', 'title', 'placeholder', 'alt', 'label', 'hint']);
const hasLetters = /\p{L}/u;

type Node = { type?: string; name?: { name?: string }; value?: unknown };

const literalsIn = (node: unknown, found: string[]): string[] => {
  if (Array.isArray(node)) {
    for (const child of node) literalsIn(child, found);
  } else if (typeof node === 'object' && node !== null) {
    const { type, name, value } = node as Node;
    if (type === 'JSXText' && typeof value === 'string' && hasLetters.test(value)) found.push(value.trim());
    if (type === 'JSXAttribute' && readAttributes.has(String(name?.name))) {
      const text = (value as { value?: unknown } | null)?.value;
      if (typeof text === 'string' && hasLetters.test(text)) found.push(text);
    }
    if (type === 'JSXExpressionContainer') {
      const text = (node as { expression?: { type?: string; value?: unknown } }).expression;
      if (text?.type === 'Literal' && typeof text.value === 'string' && hasLetters.test(text.value))
        found.push(text.value);
    }
    for (const child of Object.values(node)) literalsIn(child, found);
  }
  return found;
};

const visibleLiterals = (name: string, source: string): string[] =>
  literalsIn(parseSync(name, source, { lang: 'tsx' }).program, []).filter((text) => text !== 'Millrace');

t.test('no component holds a text of its own', async (t) => {
  const files = filesOf('.tsx');
  t.ok(files.length > 10, 'there are components to look at');
  for (const file of files) t.same(visibleLiterals(file, readFileSync(file, 'utf8')), [], file);
});

t.test('the scan would find a planted text', async (t) => {
  t.same(visibleLiterals('a.tsx', 'const A = () => <p>Hello</p>;'), ['Hello']);
  t.same(visibleLiterals('a.tsx', 'const A = () => <p aria-label="Hi">{x}</p>;'), ['Hi']);
  t.same(visibleLiterals('a.tsx', "const A = () => <p>{'안녕'}</p>;"), ['안녕']);
  t.same(visibleLiterals('a.tsx', 'const A = () => <p class="x">{t("a.b")} · 1</p>;'), []);
});

t.test('places are filled, unknown places stay', async (t) => {
  t.equal(fill('{a} and {b}', { a: 1 }), '1 and {b}');
});
