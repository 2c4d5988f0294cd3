/** Work that can be laid down between its steps, because others need the thread; whoever does it says when it goes on. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

export const toTheEnd = <Result>(steps: Steps<Result>): Result => {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
};

/** `turn` is awaited between two steps. */
export const inTurns = async <Result>(steps: Steps<Result>, turn: () => Promise<unknown>): Promise<Result> => {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await turn();
  }
};
