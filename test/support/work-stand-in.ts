/**
 * Work behind videos as a page of the web app is told of it, without a server that does any: jobs that change when the page
 * says so, and progress that moves when the test says so. In the place of the API's answers and of two topics of the socket.
 */
import type { BrowserContext, Route, WebSocketRoute } from 'playwright-core';

export type StoodInJob = {
  id: string;
  kind: string;
  task: string | null;
  class: string;
  state: 'queued' | 'leased' | 'done' | 'dead' | 'cancelled';
  priority: number;
  attempts: number;
  maxAttempts: number;
  done: number;
  waits: number;
  video: { id: string; title: string } | null;
  worker: string | null;
  reason: string | null;
  createdAt: string;
  updatedAt: string;
};

export type StoodInTask = { name: string; kind: string; state: string; done: number; jobs: number; finished: number; reason: string | null };

export class WorkStandIn {
  readonly jobs: StoodInJob[] = [];
  workers: object[] = [];
  tasks: StoodInTask[] = [];
  /** What pages asked for, in order: `POST /jobs/1/cancel`. */
  readonly asked: string[] = [];
  /** Answers 500 to whatever is asked of work. */
  isBroken = false;
  readonly #heard = new Map<string, Set<WebSocketRoute>>();

  async standIn(context: BrowserContext): Promise<void> {
    await context.route(/\/api\/v1\/(jobs|workers)([/?]|$)/, (route) => this.#work(route));
    await context.route(/\/api\/v1\/videos\/[^/]+\/tasks/, (route) => this.#ofVideo(route));
    await context.routeWebSocket(/\/api\/v1\/ws/, (page) => {
      const server = page.connectToServer();
      page.onMessage((message) => {
        const order = JSON.parse(String(message)) as { subscribe?: string; unsubscribe?: string };
        if (order.subscribe?.startsWith('video:')) this.#hear(order.subscribe, page);
        if (order.subscribe === 'work') {
          this.#hear('work', page);
          page.send(JSON.stringify({ topic: 'work', type: 'snapshot', data: this.#now() }));
        } else server.send(message);
      });
      server.onMessage((message) => {
        const told = JSON.parse(String(message)) as { topic?: string; data?: { tasks?: object } };
        page.send(told.topic?.startsWith('video:') && told.data?.tasks ? JSON.stringify({ ...told, data: { ...told.data, tasks: this.#heardTasks() } }) : message);
      });
    });
  }

  job(change: Partial<StoodInJob> & Pick<StoodInJob, 'id'>): StoodInJob {
    const now = new Date().toISOString();
    const plain: StoodInJob = { id: '', kind: 'encode', task: 'others', class: 'encode', state: 'queued', priority: 10, attempts: 0, maxAttempts: 4, done: 0, waits: 0, video: null, worker: null, reason: null, createdAt: now, updatedAt: now };
    const made = { ...plain, ...change };
    this.jobs.push(made);
    return made;
  }

  /** Tells all pages how it is now. */
  tell(): void {
    this.#publish('work', this.#now());
  }

  tellTasks(video: string): void {
    this.#publish(`video:${video}`, { state: 'playable', duration: 40, error: null, progress: null, upload: null, tasks: this.#heardTasks() });
  }

  #hear(topic: string, page: WebSocketRoute): void {
    this.#heard.set(topic, (this.#heard.get(topic) ?? new Set()).add(page));
  }

  #publish(topic: string, data: object): void {
    for (const page of this.#heard.get(topic) ?? []) page.send(JSON.stringify({ topic, type: 'update', data }));
  }

  #now(): object {
    const counts = new Map<string, { class: string; state: string; count: number }>();
    for (const job of this.jobs) {
      const key = `${job.class} ${job.state}`;
      counts.set(key, { class: job.class, state: job.state, count: (counts.get(key)?.count ?? 0) + 1 });
    }
    return { counts: [...counts.values()], running: this.jobs.filter(({ state }) => state === 'leased'), workers: this.workers };
  }

  #tasks(): object {
    const done = this.tasks.length === 0 ? null : this.tasks.reduce((sum, task) => sum + task.done, 0) / this.tasks.length;
    return { done, tasks: this.tasks };
  }

  /** Why something failed is for its owner, who asks. */
  #heardTasks(): object {
    return { ...this.#tasks(), tasks: this.tasks.map((task) => ({ ...task, reason: null })) };
  }

  #note(route: Route): URL {
    const url = new URL(route.request().url());
    this.asked.push(`${route.request().method()} ${url.pathname.replace('/api/v1', '')}`);
    return url;
  }

  async #work(route: Route): Promise<void> {
    const url = this.#note(route);
    if (this.isBroken) return route.fulfill({ status: 500, contentType: 'application/problem+json', body: '{"code":"internal","title":"No."}' });
    const [, id, action] = /\/jobs\/([^/]+)(?:\/(\w+))?$/.exec(url.pathname) ?? [];
    if (url.pathname.endsWith('/workers')) return route.fulfill({ json: { items: this.workers } });
    if (id === undefined) {
      const state = url.searchParams.get('state');
      const all = this.jobs.filter((job) => state === null || job.state === state).toReversed();
      const rest = all.slice(all.findIndex((job) => job.id === url.searchParams.get('cursor')) + 1);
      const items = rest.slice(0, Number(url.searchParams.get('limit')));
      return route.fulfill({ json: { items, cursor: rest.length > items.length ? (items.at(-1)?.id ?? null) : null } });
    }
    const job = this.jobs.find((one) => one.id === id);
    if (!job) return route.fulfill({ status: 404, json: { code: 'not-found' } });
    if (action === 'cancel') Object.assign(job, { state: 'cancelled', worker: null });
    if (action === 'retry') Object.assign(job, { state: 'queued', attempts: 0, reason: null, done: 0 });
    if (action === undefined) job.priority = (route.request().postDataJSON() as { priority: number }).priority;
    await route.fulfill({ json: job });
    this.tell();
  }

  async #ofVideo(route: Route): Promise<void> {
    const { pathname } = this.#note(route);
    const [from, to] = pathname.endsWith('/cancel') ? [['waiting', 'queued', 'running'], 'cancelled'] : [['failed', 'cancelled'], 'queued'];
    if (!pathname.endsWith('/tasks')) for (const task of this.tasks) if (from.includes(task.state)) Object.assign(task, { state: to, reason: null });
    await (pathname.endsWith('/tasks') ? route.fulfill({ json: this.#tasks() }) : route.fulfill({ status: 204 }));
  }
}
