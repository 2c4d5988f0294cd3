/**
 * One run over some test files: a line for each as it ends, what it printed where it failed, and the count of
 * assertions.
 */
import { runFile, wasStopped } from './test-file.mjs';

/** @typedef {{ passed: number, failed: number, failedFiles: string[] }} Count */

/** @param {import('./test-file.mjs').Result} result */
const report = ({ file, failed, seconds, reason, kept }) => {
  if (failed > 0) console.log(kept.join('\n'));
  console.log(`${failed > 0 ? 'FAILED' : 'ok    '} ${file} (${seconds.toFixed(1)} s)${reason && `: ${reason}`}`);
};

/**
 * @param {readonly import('./lanes.mjs').Phase[]} phases
 * @param {number} timeoutSeconds of each file
 * @returns {Promise<Count>}
 */
export const runFiles = async (phases, timeoutSeconds) => {
  /** @type {Count} */
  const sum = { passed: 0, failed: 0, failedFiles: [] };
  /** @param {import('./lanes.mjs').Lane} queues */
  const runLane = async (queues) => {
    while (!wasStopped()) {
      const file = queues.find((queue) => queue.length > 0)?.shift();
      if (file === undefined) return;
      const result = await runFile(file, timeoutSeconds);
      report(result);
      sum.passed += result.passed;
      sum.failed += result.failed;
      if (result.failed > 0) sum.failedFiles.push(file);
    }
  };
  for (const lanes of phases) await Promise.all(lanes.map(runLane));
  return sum;
};
