/**
 * One run over some test files, several at a time: a line for each file as it ends, what it printed where it failed,
 * and the count of assertions.
 */
import { runFile, wasStopped } from './test-file.mjs';

/** @typedef {{ passed: number, failed: number, failedFiles: string[] }} Count */

/** @param {import('./test-file.mjs').Result} result */
const report = ({ file, failed, seconds, reason, kept }) => {
  if (failed > 0) console.log(kept.join('\n'));
  console.log(`${failed > 0 ? 'FAILED' : 'ok    '} ${file} (${seconds.toFixed(1)} s)${reason && `: ${reason}`}`);
};

/**
 * @param {readonly string[]} files
 * @param {{ jobs: number, timeoutSeconds: number }} limits
 * @returns {Promise<Count>}
 */
export const runFiles = async (files, { jobs, timeoutSeconds }) => {
  /** @type {Count} */
  const sum = { passed: 0, failed: 0, failedFiles: [] };
  const waiting = [...files];
  const lane = async () => {
    for (let file = waiting.shift(); file !== undefined && !wasStopped(); file = waiting.shift()) {
      const result = await runFile(file, timeoutSeconds);
      report(result);
      sum.passed += result.passed;
      sum.failed += result.failed;
      if (result.failed > 0) sum.failedFiles.push(file);
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  return sum;
};
