/**
 * Where the system allows it, a measurement over loopback runs in a network of its own without BBR, whose pacing keeps both ends
 * waiting for each other.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

const inside = 'MILLRACE_BENCH_NETWORK';
const script = 'ip link set lo up && echo reno > /proc/sys/net/ipv4/tcp_congestion_control && exec "$@"';

/** Calls `run` in such a process: this one, or one like it. */
export const inOwnNetwork = async (run: () => Promise<void>): Promise<void> => {
  if (process.env[inside] !== undefined) return run();
  const able = spawnSync('unshare', ['-rn', 'sh', '-c', script, 'sh', 'true'], { stdio: 'ignore' }).status === 0;
  const args = [process.execPath, ...process.argv.slice(1)];
  const [command = '', ...rest] = able ? ['unshare', '-rn', 'sh', '-c', script, 'sh', ...args] : args;
  console.log(able ? 'in a network of its own, by reno' : `by ${readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'latin1').trim()}`);
  const child = spawn(command, rest, { stdio: 'inherit', env: { ...process.env, [inside]: '1' } });
  process.exitCode = Number((await once(child, 'close'))[0] ?? 1);
};
