/** Short news at the foot of the page, also read out. */
import { createStore } from '../state/store.ts';
import { useStore } from '../state/use.ts';

type Toast = { readonly id: number; readonly text: string };

const toasts = createStore<readonly Toast[]>([]);
let last = 0;

/** Long enough to read at a slow pace. */
const shownFor = (text: string): number => 3_000 + text.length * 60;

export const toast = (text: string): void => {
  const id = ++last;
  toasts.set([...toasts.get().slice(-2), { id, text }]);
  setTimeout(() => toasts.set(toasts.get().filter((other) => other.id !== id)), shownFor(text));
};

export const Toasts = () => (
  <div class="toasts" role="status" aria-live="polite">
    {useStore(toasts).map(({ id, text }) => (
      <div class="toast" key={id}>
        {text}
      </div>
    ))}
  </div>
);
