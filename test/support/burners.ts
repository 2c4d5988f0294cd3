/** Programs that do nothing, as hard as they can: a machine that has too much to do. */
import { spawn, type ChildProcess } from 'node:child_process';

/** Nothing on this machine may be busy for longer. */
const mostSeconds = 90;

export class Burners {
  readonly #children: ChildProcess[] = [];

  /** Each in a session of its own, as what others run on a machine is: where the kernel groups by session, it counts as one. */
  add(count: number): void {
    for (let one = 0; one < count; one += 1) {
      const burn = `const end = Date.now() + ${mostSeconds * 1000}; while (Date.now() < end);`;
      this.#children.push(spawn(process.execPath, ['-e', burn], { detached: true, stdio: 'ignore' }));
    }
  }

  get count(): number {
    return this.#children.length;
  }

  stop(): void {
    for (const child of this.#children.splice(0)) child.kill('SIGKILL');
  }
}
