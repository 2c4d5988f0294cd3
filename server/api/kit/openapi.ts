/** The OpenAPI 3.1 document, made from the schemas that check requests. */
import type { TObject, TSchema } from 'typebox';
import { problemKinds, type ProblemCode } from './problem.ts';
import { prefix } from './mount.ts';
import type { Route } from './route.ts';

type Json = Record<string, unknown>;

const problemRef = { $ref: '#/components/schemas/Problem' };

/** An object without a property that must be there has no `required` at all. */
export const requiredOf = (schema: TObject | undefined): readonly string[] => schema?.required ?? [];

const parameters = (schema: TObject | undefined, place: 'path' | 'query'): Json[] =>
  Object.entries(schema?.properties ?? {}).map(([name, property]: [string, TSchema]) => ({
    name,
    in: place,
    required: place === 'path' || requiredOf(schema).includes(name),
    schema: property,
  }));

/** What every route of its kind may answer, besides what it says itself. */
const problemsOf = (route: Route): ProblemCode[] => [
  ...(route.query || route.body ? (['validation'] as const) : []),
  ...(route.bytes ? (['too-large'] as const) : []),
  ...(route.body ? (['malformed-json', 'too-large', 'not-json'] as const) : []),
  ...(route.auth === 'none' ? [] : (['not-logged-in'] as const)),
  ...(route.auth === 'none' || route.auth === 'viewer' ? [] : (['not-allowed'] as const)),
  ...(route.method === 'GET' ? [] : (['foreign-origin'] as const)),
  ...(route.params ? (['not-found', 'address-too-long'] as const) : []),
  ...(route.idempotent ? (['idempotency-mismatch', 'idempotency-under-way'] as const) : []),
  ...(route.problems ?? []),
  'slow-down',
  'internal',
  'busy',
  ...(route.method === 'GET' ? [] : (['no-room'] as const)),
];

const responses = (route: Route): Json => {
  const answers: [string, Json][] = Object.entries(route.answers).map(([status, schema]) => [
    status,
    { description: 'Done.', ...(schema ? { content: { 'application/json': { schema } } } : {}) },
  ]);
  const byStatus = Map.groupBy(new Set(problemsOf(route)), (code) => String(problemKinds[code][0]));
  const problems = [...byStatus].map(([status, codes]): [string, Json] => [
    status,
    { description: codes.map((code) => `\`${code}\`: ${problemKinds[code][1]}.`).join(' '), content: { 'application/problem+json': { schema: problemRef } } },
  ]);
  return Object.fromEntries([...answers, ...problems]);
};

const idempotencyHeader = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same body again, within a day, gets the same answer and changes nothing.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
};

const grantHeader = {
  name: 'Millrace-Grant',
  in: 'header',
  required: false,
  description: 'A grant that was handed on: what it opens is there, whoever asks.',
  schema: { type: 'string', maxLength: 1024 },
};

const operation = (route: Route): Json => ({
  operationId: route.name,
  summary: route.summary,
  security: route.auth === 'none' ? [{}, { bearer: [] }, { cookie: [] }] : [{ bearer: [] }, { cookie: [] }],
  ...(route.auth === 'none' ? {} : { 'x-role': route.auth }),
  parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query'), ...(route.idempotent ? [idempotencyHeader] : []), ...(route.byGrant ? [grantHeader] : [])],
  ...(route.bytes ? { requestBody: { required: true, content: Object.fromEntries(route.bytes.map((type) => [type, { schema: { type: 'string', format: 'binary' } }])) } } : {}),
  ...(route.body ? { requestBody: { required: requiredOf(route.body).length > 0, content: { 'application/json': { schema: route.body } } } } : {}),
  responses: responses(route),
});

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(problemKinds) },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: { type: 'object', required: ['field', 'detail'], properties: { field: { type: 'string' }, detail: { type: 'string' } } },
    },
  },
};

/** `wants` is our own word, for sentences; it is no part of a schema. */
const withoutOwnWords = (value: unknown): Json => JSON.parse(JSON.stringify(value, (key, part: unknown) => (key === 'wants' ? undefined : part))) as Json;

export const openApi = (routes: readonly Route[], version: string, cookie: string): Json => {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = prefix + route.path.replace(/:([a-zA-Z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return withoutOwnWords({
    openapi: '3.1.0',
    info: { title: 'Millrace', version, description: 'Live and recorded video. Times are RFC 3339 in UTC; errors are RFC 9457 problem documents with a stable `code`.' },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' }, cookie: { type: 'apiKey', in: 'cookie', name: cookie } },
    },
  });
};
