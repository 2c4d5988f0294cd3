/** Prometheus metrics: gauges are read when somebody asks, so that nothing is counted twice. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** What is read at each scrape. Names that end in `_total` only grow. */
type Read = number | Readonly<Record<string, number>>;
export type Reading = { readonly name: string; readonly help: string; readonly read: () => Read | Promise<Read>; readonly label?: string };

export const createMetrics = (readings: () => readonly Reading[]): Registry => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const { name, help, read, label } of readings()) {
    const labels = label === undefined ? {} : { labelNames: [label] };
    const options = { name, help, registers: [registry], ...labels };
    if (name.endsWith('_total')) {
      const counter: Counter = new Counter({
        ...options,
        async collect() {
          const now = await read();
          counter.reset();
          each(now, label, (labelled, value) => counter.inc(labelled, value));
        },
      });
    } else {
      const gauge: Gauge = new Gauge({
        ...options,
        async collect() {
          const now = await read();
          gauge.reset();
          each(now, label, (labelled, value) => gauge.set(labelled, value));
        },
      });
    }
  }
  return registry;
};

const each = (value: Read, label: string | undefined, put: (labels: Record<string, string>, value: number) => void): void => {
  if (typeof value === 'number') put({}, value);
  else for (const [name, one] of Object.entries(value)) put(label === undefined ? {} : { [label]: name }, one);
};
