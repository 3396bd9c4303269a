import { createInterface } from 'node:readline';
import { stopProcess, type ProcessRef, type StopStep } from './stop-process.js';

/*
 * A process of its own that outlives the gateway by as long as it takes to end what the gateway left behind.
 * What it watches from the start stands in its argument; then the gateway writes one JSON line a command to its stdin. Nothing else holds the other end of that pipe, so when the gateway
 * dies, even by SIGKILL, the pipe closes; then every watched process is ended. PostgreSQL and Chroma have no channel of their
 * own to the gateway and would run on.
 */

export interface Watched extends ProcessRef {
  stop: readonly StopStep[];
}

export type KeeperCommand = { watch: Watched } | { forget: number };

const atStart = JSON.parse(process.argv[2] ?? '[]') as Watched[];
const watched = new Map(atStart.map((child) => [child.pid, child]));

// A terminal's Ctrl-C and a service manager's TERM reach the whole group; only the pipe decides here.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const command = JSON.parse(line) as KeeperCommand;
  if ('watch' in command) watched.set(command.watch.pid, command.watch);
  else watched.delete(command.forget);
});
lines.on('close', () => {
  void Promise.all([...watched.values()].map((child) => stopProcess(child, child.stop))).then(() => process.exit(0));
});
