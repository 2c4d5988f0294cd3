/** For a container's health check: whether the server on this machine answers that it is ready. */
export const checkHealth = async (port: number): Promise<number> => {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5_000) });
    process.stdout.write(`${await answer.text()}\n`);
    return answer.ok ? 0 : 1;
  } catch (error) {
    process.stderr.write(`The server does not answer on port ${port}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
};
