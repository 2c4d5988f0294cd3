/** Sending a form once: busy while it is on its way, the problem if it failed. */
import { useState } from 'preact/hooks';
import { ApiProblem } from '../api/problem.ts';

export type Sending = {
  readonly busy: boolean;
  readonly problem: ApiProblem | null;
  run(action: () => Promise<void>): void;
};

export const useSending = (): Sending => {
  const [state, setState] = useState<{ busy: boolean; problem: ApiProblem | null }>({ busy: false, problem: null });
  return {
    ...state,
    run(action) {
      if (state.busy) return;
      setState({ busy: true, problem: null });
      action().then(
        () => setState({ busy: false, problem: null }),
        (error: unknown) => setState({ busy: false, problem: ApiProblem.from(error) }),
      );
    },
  };
};
