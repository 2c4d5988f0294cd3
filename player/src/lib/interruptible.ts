/** Waiting that can be called off. */

/** Somebody called it off. */
export class Stopped extends Error {
  constructor() {
    super('stopped');
    this.name = 'Stopped';
  }
}

/** Settles as `begin` says; when the signal comes first, what `begin` returned takes it back, and this throws Stopped. */
export const interruptible = <T>(
  signal: AbortSignal,
  begin: (resolve: (value: T) => void, reject: (reason: unknown) => void) => () => void,
): Promise<T> =>
  new Promise<T>((resolve, reject) => {
    if (signal.aborted) return reject(new Stopped());
    let over = false;
    let undo = (): void => {};
    const end = (settle: () => void): void => {
      if (over) return;
      over = true;
      signal.removeEventListener('abort', stop);
      settle();
    };
    const stop = (): void => {
      end(() => reject(new Stopped()));
      undo();
    };
    signal.addEventListener('abort', stop);
    undo = begin(
      (value) => end(() => resolve(value)),
      (reason) => end(() => reject(reason instanceof Error ? reason : new Error(String(reason)))),
    );
  });

/** A signal that comes when one of the others does, or when it is told to. AbortSignal.any is too young. */
export const linked = (parent: AbortSignal): { readonly signal: AbortSignal; abort(): void; unlink(): void } => {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (parent.aborted) abort();
  else parent.addEventListener('abort', abort);
  return { signal: controller.signal, abort, unlink: () => parent.removeEventListener('abort', abort) };
};
