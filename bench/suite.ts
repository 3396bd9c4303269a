/**
 * Where the processors' time goes while the tests run: by kind of process, sampled each second from Linux's `/proc`. A process that begins and
 * ends between two samples is missing: the rest of the busy time is theirs, and the kernel's.
 *
 *   npm run bench -- suite [--long]
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeMachine, printResult, storedDetail } from './support/report.js';

const TICKS_A_SECOND = 100;
const SAMPLE_MS = 1_000;

/** What a part of the command line says of a process; the first that is found. */
const KINDS: readonly [string, RegExp][] = [
  ['test files, with the gateway’s code that they call', /tinypool/],
  ['models: reading, writing, embedding', /gpu-worker\/main\.js serve/],
  ['models: training', /gpu-worker\/main\.js train/],
  ['models: looking at a file', /gpu-worker\/main\.js|node-llama-cpp/],
  ['PostgreSQL', /postgres/],
  ['Chroma', /chroma/],
  ['browser', /chromium/],
  ['gateways as programs', /dist\/src\/(start|main|work)\.js/],
  ['imports and parsing in processes of their own', /(maker|parse)-process/],
  ['command line', /cli\/graft/],
  ['Python', /python/],
];
const OTHERS = 'others, and the kernel';

const seconds = new Map<string, number>();
const last = new Map<string, number>();

function sample(): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
      const [user, system, started] = [Number(fields[11]), Number(fields[12]), fields[19]];
      const key = `${pid} ${started}`;
      const ticks = user + system;
      const kind = KINDS.find(([, pattern]) => pattern.test(command))?.[0];
      if (kind !== undefined)
        seconds.set(kind, (seconds.get(kind) ?? 0) + (ticks - (last.get(key) ?? 0)) / TICKS_A_SECOND);
      last.set(key, ticks);
    } catch {
      // It ended meanwhile.
    }
  }
}

/** Seconds of all processors since the machine started: in all, and idle. */
function processors(): { all: number; idle: number } {
  const times = cpus().map((cpu) => cpu.times);
  const sum = (of: (each: (typeof times)[number]) => number): number => times.reduce((all, each) => all + of(each), 0);
  return {
    all: sum((each) => Object.values(each).reduce((a, b) => a + b)) / 1_000,
    idle: sum((each) => each.idle) / 1_000,
  };
}

const long = process.argv.includes('--long');
sample();
seconds.clear();
const before = processors();
const began = performance.now();
const tests = spawn('npm', ['run', '--silent', long ? 'test:long' : 'test'], { stdio: ['ignore', 'pipe', 'inherit'] });
let output = '';
tests.stdout.on('data', (part: Buffer) => {
  output += part.toString();
  process.stdout.write(part);
});
let running = true;
tests.on('exit', () => (running = false));
while (running) {
  await sleep(SAMPLE_MS);
  sample();
}
const minutes = (performance.now() - began) / 60_000;
const after = processors();
const busy = after.all - before.all - (after.idle - before.idle);
const known = [...seconds.values()].reduce((sum, each) => sum + each, 0);
seconds.set(OTHERS, busy - known);

const run = long ? 'npm run test:long' : 'npm test';
printResult(
  'suite',
  {
    machine: describeMachine(),
    rows: [...seconds]
      .sort(([, a], [, b]) => b - a)
      .map(([kind, spent]) => ({
        run,
        processes: kind,
        'processor seconds': Math.round(spent),
        share: `${((100 * spent) / busy).toFixed(0)} %`,
      })),
    runs: {
      ...storedDetail<object>('suite', 'runs'),
      [run]: {
        minutes: Number(minutes.toFixed(1)),
        idle: `${((100 * (after.idle - before.idle)) / (after.all - before.all)).toFixed(0)} %`,
        outcome: /^\d+ passed, \d+ failed.*$/m.exec(output)?.[0] ?? 'ended early',
      },
    },
  },
  ['run', 'processes'],
);
