/**
 * Which test files run side by side. A lane takes one file after another, from the first of its queues that still has
 * one; a phase is the lanes that run at the same time, and begins when the one before it is over.
 */

/** @typedef {readonly string[][]} Lane */
/** @typedef {readonly Lane[]} Phase */

/**
 * They wait for real time to pass, or for lines that are slow on purpose, and want a third of a core, two of them half of
 * one. Their lane is through before that of the units is: two browsers at once are as many as there ever are.
 */
export const mostlyWait = [
  'lint/cli.test.ts',
  'lint/watch/net.test.ts',
  'scripts/run-tests.test.ts',
  'test/admission.test.ts',
  'test/growing.test.ts',
  'test/lint-stream.test.ts',
  'test/rtmp-senders.test.ts',
  'test/srt-line.test.ts',
  'test/srt.test.ts',
  'test/support/publisher.test.ts',
  'test/upload-plays.test.ts',
];

/** Twelve minutes of live shows, for a seventh of a core. */
export const longest = 'test/prove/lint-stream.prove.ts';

/** Figures of time mean nothing in them, so they may run beside the longest. */
export const besideTheLongest = ['test/prove/awkward.prove.ts', 'test/prove/ladder-frames.prove.ts', 'test/prove/log-kill.prove.ts', 'test/prove/mutation.prove.ts'];

/**
 * Whole servers and browsers in one lane, what needs a core for itself in the other, until one of them is through: two
 * browsers at once are more than two cores like. A third lane for those that wait.
 * @param {readonly string[]} files
 * @returns {Phase[]}
 */
export const testPhases = (files) => {
  const waiting = files.filter((file) => mostlyWait.includes(file));
  const others = files.filter((file) => !mostlyWait.includes(file));
  const whole = others.filter((file) => file.startsWith('test/'));
  const units = others.filter((file) => !file.startsWith('test/'));
  return [[[whole, units, waiting], [units, whole, waiting], [waiting]]];
};

/** @param {readonly string[]} files @returns {Phase[]} */
export const provePhases = (files) => {
  const beside = files.filter((file) => besideTheLongest.includes(file));
  const alone = files.filter((file) => file !== longest && !besideTheLongest.includes(file));
  return [[[files.filter((file) => file === longest)], [beside]], [[alone]]];
};

/** @param {readonly string[]} files @returns {Phase[]} */
export const oneByOne = (files) => [[[[...files]]]];
