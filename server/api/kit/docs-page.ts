/** The page that one reads the API on: made on the server, nothing loaded from anywhere, light and dark. */
import { createHash } from 'node:crypto';
import type { TObject, TSchema } from 'typebox';
import { problemKinds } from './problem.ts';
import { prefix } from './mount.ts';
import { requiredOf } from './openapi.ts';
import type { Route } from './route.ts';

const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** `backticks` are code. */
const prose = (text: string): string => escape(text).replace(/`([^`]+)`/g, '<code>$1</code>');

const words = (schema: TSchema): string => {
  const facts = schema as unknown as Record<string, unknown>;
  if (Array.isArray(facts['enum'])) return facts['enum'].map((value) => JSON.stringify(value)).join(' | ');
  if (Array.isArray(facts['anyOf'])) return facts['anyOf'].map((part: TSchema) => words(part)).join(' | ');
  if (facts['type'] === 'array') return `${words(facts['items'] as TSchema)}[]`;
  return typeof facts['type'] === 'string' ? facts['type'] : 'any';
};

const rows = (schema: TObject, path = ''): string =>
  Object.entries(schema.properties)
    .map(([name, property]: [string, TSchema]) => {
      const facts = property as unknown as { type?: unknown; items?: unknown; description?: unknown; properties?: unknown };
      const full = path + name;
      const need = requiredOf(schema).includes(name) ? '' : ' <i>optional</i>';
      const about = typeof facts.description === 'string' ? prose(facts.description) : '';
      const row = `<tr><td><code>${escape(full)}</code>${need}</td><td>${escape(words(property))}</td><td>${about}</td></tr>`;
      return row + (facts.properties ? rows(property as unknown as TObject, `${full}.`) : '');
    })
    .join('');

const table = (title: string, schema: TSchema | null | undefined): string =>
  schema && 'properties' in schema ? `<h3>${title}</h3><table>${rows(schema as TObject)}</table>` : '';

const section = (route: Route): string => `<section id="${escape(route.name)}">
<h2><b class="${route.method.toLowerCase()}">${route.method}</b> <code>${escape(prefix + route.path)}</code></h2>
<p>${prose(route.summary)} <i>${route.auth === 'none' ? 'For everybody.' : `For ${route.auth === 'admin' ? 'an admin' : `a ${route.auth}`} and above.`}${route.idempotent ? ' Takes an Idempotency-Key.' : ''}${route.byGrant ? ' Takes the header Millrace-Grant.' : ''}</i></p>
${table('Query', route.query)}${table('Body', route.body)}${route.bytes ? `<h3>Body</h3><p>A file: ${route.bytes.map((type) => `<code>${escape(type)}</code>`).join(', ')}.</p>` : ''}
${Object.entries(route.answers)
  .map(([status, schema]) => (schema ? table(`Answer ${status}`, schema) : `<h3>Answer ${status}</h3><p>No body.</p>`))
  .join('')}
</section>`;

const style = `:root{color-scheme:light dark;--line:light-dark(#d9dee5,#2b323c);--soft:light-dark(#f4f6f9,#161b22);--ink:light-dark(#17202a,#e6ebf1);--dim:light-dark(#566272,#93a0b0);--key:light-dark(#0b62b8,#6cb4ff)}
body{font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:light-dark(#fff,#0d1117);max-width:60rem;margin:0 auto;padding:2rem 1rem}
code{font:.92em ui-monospace,monospace}a{color:var(--key)}i{color:var(--dim);font-style:normal;font-size:.9em}
nav ul{columns:20rem;padding:0;list-style:none}section{border-top:1px solid var(--line);padding-top:1rem;margin-top:2rem}
h2{font-size:1.1rem;overflow-wrap:anywhere}h3{font-size:.85rem;color:var(--dim);margin:1rem 0 .3rem}b{font:700 .85rem ui-monospace,monospace;color:var(--key)}
table{width:100%;border-collapse:collapse;background:var(--soft);border-radius:6px}td{padding:.35rem .7rem;border-top:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}`;

/** The page's own style is the only thing that it may use. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'`;

export const docsPage = (routes: readonly Route[], version: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Millrace API</title><style>${style}</style></head>
<body><main><h1>Millrace API</h1>
<p>Version ${escape(version)}. JSON in and out, below <code>${prefix}</code>; the same as a machine reads it: <a href="${prefix}/openapi.json">openapi.json</a>.</p>
<p>Log in with <code>POST ${prefix}/sessions</code>, then send <code>Authorization: Bearer &lt;token&gt;</code>. Times are RFC 3339 in UTC. Lists take <code>limit</code> and the <code>cursor</code> of the page before.</p>
<nav><ul>${routes.map((route) => `<li><b>${route.method}</b> <a href="#${escape(route.name)}">${escape(route.path)}</a></li>`).join('')}<li><a href="#problems">Problems</a></li></ul></nav>
${routes.map(section).join('\n')}
<section id="problems"><h2>Problems</h2><p>An error is a problem document (RFC 9457) with a stable <code>code</code>, and a <code>detail</code> for people.</p><table>
${Object.entries(problemKinds)
  .map(([code, [status, title]]) => `<tr id="problem-${code}"><td><code>${code}</code></td><td>${status}</td><td>${escape(title)}</td></tr>`)
  .join('')}</table></section></main></body></html>`;
