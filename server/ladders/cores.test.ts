import t from 'tap';
import { coresHere, quotaOf } from './cores.ts';

const files =
  (all: Readonly<Record<string, string>>) =>
  (path: string): string | null =>
    all[path] ?? null;

t.test('a container may be given less than the machine has, and parts of a core', async (t) => {
  const docker = files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '150000 100000\n' });
  t.equal(quotaOf(docker), 1.5);
  t.equal(coresHere(docker, 8), 1.5);
  t.equal(coresHere(docker, 1), 1, 'there are no more than there are');
});

t.test('every folder that it lies in may limit it', async (t) => {
  const service = { '/proc/self/cgroup': '0::/media.slice/millrace.service\n', '/sys/fs/cgroup/media.slice/millrace.service/cpu.max': 'max 100000\n' };
  t.equal(quotaOf(files(service)), null);
  t.equal(coresHere(files(service), 4), 4);
  t.equal(quotaOf(files({ ...service, '/sys/fs/cgroup/media.slice/cpu.max': '50000 100000\n' })), 0.5);
});

t.test('the older kind, where the path may be one of the host', async (t) => {
  const read = files({ '/proc/self/cgroup': '5:devices:/\n4:cpu,cpuacct:/docker/0123\n', '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '250000\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' });
  t.equal(quotaOf(read), 2.5);
  t.equal(quotaOf(files({ '/proc/self/cgroup': '1:cpu:/\n', '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' })), null);
});

t.test('where nothing is said, what there is', async (t) => {
  t.equal(coresHere(files({}), 6), 6);
  t.ok(coresHere() > 0);
});
