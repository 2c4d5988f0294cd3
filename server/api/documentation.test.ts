import t from 'tap';
import { testApi } from './testing.ts';

type Document = {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, { operationId: string; parameters: { name: string; in: string; required: boolean }[]; responses: Record<string, { description: string; content?: object }> }>>;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
};

t.test('every route is in the OpenAPI document, with its parameters and answers', async (t) => {
  const server = await testApi(t);
  const reply = await server.ask('/api/v1/openapi.json');
  t.equal(reply.status, 200);
  const document = reply.body as unknown as Document;
  t.equal(document.openapi, '3.1.0');
  t.notOk(reply.text.includes('"wants"'), 'our own word stays with us');
  const names = new Set<string>();
  for (const route of server.api.routes) {
    const path = `/api/v1${route.path.replace(/:(\w+)/g, '{$1}')}`;
    const operation = document.paths[path]?.[route.method.toLowerCase()];
    t.ok(operation, `${route.method} ${path}`);
    if (!operation) continue;
    names.add(operation.operationId);
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    t.same(operation.parameters.filter((one) => one.in === 'path').map(({ name }) => name), inPath, 'each parameter of the path');
    t.ok(operation.parameters.filter((one) => one.in === 'path').every(({ required }) => required));
    for (const status of Object.keys(route.answers)) t.ok(operation.responses[status]?.description, `${route.name} ${status}`);
  }
  t.equal(names.size, server.api.routes.length, 'operation ids are unique');
  const references = [...reply.text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
  t.ok(references.every((name) => name !== undefined && name in document.components.schemas));
});

t.test('the page shows every route and loads nothing', async (t) => {
  const server = await testApi(t);
  const page = await server.ask('/api/docs');
  t.match(page.headers.get('content-type'), /^text\/html/);
  t.match(page.headers.get('content-security-policy'), /default-src 'none'/);
  for (const route of server.api.routes) t.ok(page.text.includes(`id="${route.name}"`), route.name);
  t.notMatch(page.text, /<(?:script|link|img|iframe)\b|url\(/);
});
