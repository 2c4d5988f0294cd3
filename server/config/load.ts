/**
 * Reads the configuration: defaults, then the file, then the environment. A wrong key or value in the file is
 * refused with its place; a variable that nothing knows only warns, since it may belong to a newer version.
 */
import { readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { nearest } from './nearest.ts';
import { settings, variableOf, type Config, type SettingName } from './settings.ts';
import { ValueError } from './values.ts';

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export type Loaded = { readonly config: Config; readonly warnings: readonly string[] };

/** Variables that the launcher and others read themselves. */
const OTHERS = new Set(['MILLRACE_CONFIG', 'MILLRACE_PRODUCTION']);
const names = Object.keys(settings) as SettingName[];

export const loadConfig = (path: string | null, environment: Readonly<Record<string, string | undefined>>): Loaded => {
  const values = new Map<SettingName, unknown>(names.map((name) => [name, settings[name].fallback]));
  if (path !== null) readFile(path, values);
  const warnings = readEnvironment(environment, values);
  checkTogether(values);
  return { config: Object.fromEntries(values) as Config, warnings };
};

const readFile = (path: string, values: Map<SettingName, unknown>): void => {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { lineCounter: lines, uniqueKeys: true });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const [broken] = document.errors;
  if (broken) throw new ConfigError(`${at(broken.pos[0])}: ${broken.message.split('\n')[0]}`);
  if (document.contents === null) return;
  if (!isMap(document.contents)) throw new ConfigError(`${path}: a list of "key: value" lines is expected`);
  readMap(document.contents, '', values, at);
};

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError(`${path}: this configuration file cannot be read`, { cause });
  }
};

const readMap = (map: YAMLMap, prefix: string, values: Map<SettingName, unknown>, at: (offset: number) => string): void => {
  for (const { key, value } of map.items) {
    const place = isScalar(key) ? at(key.range?.[0] ?? 0) : prefix;
    const name = `${prefix}${isScalar(key) ? String(key.value) : '?'}`;
    if (isSetting(name)) {
      const plain: unknown = value === null ? null : (value as { toJSON(): unknown }).toJSON();
      values.set(name, parse(name, plain, `${place}: ${name}`));
    } else if (isMap(value) && names.some((known) => known.startsWith(`${name}.`))) {
      readMap(value, `${name}.`, values, at);
    } else {
      throw new ConfigError(`${place}: there is no setting ${JSON.stringify(name)}; did you mean ${JSON.stringify(nearest(name, names))}?`);
    }
  }
};

const readEnvironment = (environment: Readonly<Record<string, string | undefined>>, values: Map<SettingName, unknown>): string[] => {
  const variables = new Map(names.map((name) => [variableOf(name), name]));
  const warnings: string[] = [];
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('MILLRACE_') || value === undefined || OTHERS.has(variable)) continue;
    const name = variables.get(variable);
    if (name) values.set(name, parse(name, value, variable));
    else warnings.push(`The variable ${variable} is unknown and ignored; did you mean ${nearest(variable, [...variables.keys()])}?`);
  }
  return warnings;
};

const isSetting = (name: string): name is SettingName => Object.hasOwn(settings, name);

const parse = (name: SettingName, input: unknown, place: string): unknown => {
  try {
    return settings[name].kind.parse(input);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    // What stands there may be a secret.
    throw new ConfigError(name === 'admin.password' || name === 'hooks.publish.secret' ? `${place}: this is not text; put it in quotes` : `${place}: ${error.message}`);
  }
};

const checkTogether = (values: ReadonlyMap<SettingName, unknown>): void => {
  const [warn, refuse, stop] = (['disk.warn', 'disk.refuse', 'disk.stop'] as const).map((name) => Number(values.get(name)));
  if (warn === undefined || refuse === undefined || stop === undefined) return;
  if (warn > refuse || refuse > stop) throw new ConfigError('disk.warn, disk.refuse and disk.stop must rise in this order');
  checkTls(values);
  if (values.get('hooks.publish.url') !== '' && String(values.get('hooks.publish.secret')).length < 16) {
    throw new ConfigError('hooks.publish.url is set: hooks.publish.secret needs at least 16 characters, so that whoever is called can tell who calls');
  }
  const password = String(values.get('admin.password'));
  if (password !== '' && password.length < 8) throw new ConfigError('admin.password: at least 8 characters are needed');
  if (password.length > 256) throw new ConfigError('admin.password: at most 256 characters can be typed to log in');
};

const checkTls = (values: ReadonlyMap<SettingName, unknown>): void => {
  const wanted = (['https.port', 'rtmps.port'] as const).find((name) => values.get(name) !== null);
  const missing = (['tls.certificate', 'tls.key'] as const).find((name) => values.get(name) === '');
  if (wanted && missing) throw new ConfigError(`${wanted} is set, and ${missing} is not: TLS needs the files of a certificate and of its key`);
  if (values.get('https.redirect') === true && values.get('https.port') === null) throw new ConfigError('https.redirect is set, and https.port is not: there is nowhere to be sent to');
};
