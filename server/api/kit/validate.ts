/** Checks what came in against the schema that the documentation is made from, and says in words what is wrong and where. */
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Problem, type FieldError } from './problem.ts';

const mostErrors = 10;

type Issue = { readonly keyword: string; readonly instancePath: string; readonly params: object; readonly message: string };
type Where = 'body' | 'query';

const fieldOf = (path: string): string => path.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).join('.');

const list = (params: object, name: string): string[] => {
  const value: unknown = Reflect.get(params, name);
  return Array.isArray(value) ? value.map(String) : [];
};

const under = (path: string, names: string[]): string[] => names.map((name) => (path === '' ? name : `${fieldOf(path)}.${name}`));

const article = (type: unknown): string => {
  const name = String(type);
  return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`;
};

/** A schema may bring its own sentence about what it wants (`description` is for readers, `wants` for senders). */
const sentence = (issue: Issue, wants: string | undefined): string => {
  if (wants !== undefined) return `must be ${wants}`;
  const limit: unknown = Reflect.get(issue.params, 'limit');
  switch (issue.keyword) {
    case 'maxLength':
      return `must have at most ${String(limit)} characters`;
    case 'minLength':
      return limit === 1 ? 'must not be empty' : `must have at least ${String(limit)} characters`;
    case 'minProperties':
      return 'must change something: it is empty';
    case 'type':
      return `must be ${article(Reflect.get(issue.params, 'type'))}`;
    case 'enum':
      return `must be one of ${list(issue.params, 'allowedValues').join(', ')}`;
    default:
      return issue.message;
  }
};

const get = (thing: unknown, name: string): unknown => (typeof thing === 'object' && thing !== null ? Reflect.get(thing, name) : undefined);

/** Where the sentence is: at what is wrong, or at the nearest thing around it that has one (a list, for what is in it). */
const wantsOf = (schema: TSchema, path: string): { path: string; wants: string | undefined } => {
  let found: { path: string; wants: string | undefined } = { path, wants: undefined };
  let at: unknown = schema;
  let so = '';
  for (const part of path.split('/').slice(1)) {
    at = get(get(at, 'properties'), part);
    so += `/${part}`;
    const wants = get(at, 'wants');
    if (typeof wants === 'string') found = { path: so, wants };
  }
  return found;
};

const explain = (schema: TSchema, issues: Iterable<Issue>, where: Where): FieldError[] => {
  const errors = new Map<string, string>();
  const add = (field: string, detail: string): void => {
    if (!errors.has(field) && errors.size < mostErrors) errors.set(field, detail);
  };
  for (const issue of issues) {
    const path = issue.instancePath;
    if (issue.keyword === 'additionalProperties') {
      for (const field of under(path, list(issue.params, 'additionalProperties'))) add(field.slice(0, 100), 'is not known here');
    } else if (issue.keyword === 'required') {
      for (const field of under(path, list(issue.params, 'requiredProperties'))) add(field, 'is missing');
    } else if (issue.keyword !== 'boolean') {
      const { path: at, wants } = wantsOf(schema, path);
      add(at === '' ? where : fieldOf(at), sentence(issue, wants));
    }
  }
  return [...errors].map(([field, detail]) => ({ field, detail: `\`${field}\` ${detail}.` }));
};

/** Gives back what fits; throws a Problem that names every field that is wrong. */
export const checker = (schema: TSchema, where: Where): ((value: unknown) => unknown) => {
  const compiled = Compile(schema);
  return (value) => {
    if (compiled.Check(value)) return value;
    const errors = explain(schema, compiled.Errors(value) as Iterable<Issue>, where);
    throw new Problem('validation', errors.map((error) => error.detail).join(' ') || `The ${where} does not fit.`, { errors });
  };
};

/** Query strings are text: what should be a number or a boolean and looks like one becomes one; anything else is left for the check. */
export const fromText = (schema: TSchema, query: object): Record<string, unknown> => {
  const properties: unknown = Reflect.get(schema, 'properties');
  const typeOf = (name: string): unknown => {
    const property: unknown = typeof properties === 'object' && properties !== null ? Reflect.get(properties, name) : undefined;
    return typeof property === 'object' && property !== null ? Reflect.get(property, 'type') : undefined;
  };
  const values = Object.entries(query).map(([name, value]: [string, unknown]): [string, unknown] => {
    const type = typeOf(name);
    if (type === 'integer' && typeof value === 'string' && /^-?\d{1,15}$/.test(value)) return [name, Number(value)];
    if (type === 'boolean' && (value === 'true' || value === 'false')) return [name, value === 'true'];
    return [name, value];
  });
  return Object.fromEntries(values);
};
