/** Runs every measurement in turn, alone on the machine, and goes on after one that fails. Never part of CI. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

const filters = process.argv.slice(2);
const files = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'all.ts')
  .filter((name) => filters.length === 0 || filters.some((part) => name.includes(part)))
  .sort();

const failed: string[] = [];
for (const name of files) {
  console.log(`\n== bench/${name}`);
  const child = spawn(process.execPath, [path.join(import.meta.dirname, name)], { stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) failed.push(name);
}
if (files.length === 0) console.log('no measurement matches');
if (failed.length > 0) console.log(`\nfailed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 && files.length > 0 ? 0 : 1;
