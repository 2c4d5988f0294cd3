/** Prometheus metrics: gauges are read when somebody asks, so that nothing is counted twice. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** What is read at each scrape. Names that end in `_total` only grow. */
export type Reading = { readonly name: string; readonly help: string; readonly read: () => number | Readonly<Record<string, number>>; readonly label?: string };

export const createMetrics = (readings: () => readonly Reading[]): Registry => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const { name, help, read, label } of readings()) {
    const labels = label === undefined ? {} : { labelNames: [label] };
    const options = { name, help, registers: [registry], ...labels };
    if (name.endsWith('_total')) {
      const counter: Counter = new Counter({
        ...options,
        collect() {
          counter.reset();
          each(read(), label, (labelled, value) => counter.inc(labelled, value));
        },
      });
    } else {
      const gauge: Gauge = new Gauge({
        ...options,
        collect() {
          gauge.reset();
          each(read(), label, (labelled, value) => gauge.set(labelled, value));
        },
      });
    }
  }
  return registry;
};

const each = (value: number | Readonly<Record<string, number>>, label: string | undefined, put: (labels: Record<string, string>, value: number) => void): void => {
  if (typeof value === 'number') put({}, value);
  else for (const [name, one] of Object.entries(value)) put(label === undefined ? {} : { [label]: name }, one);
};
