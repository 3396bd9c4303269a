import { Presets, SingleBar } from 'cli-progress';
import { GraftClientError, type GraftClient } from '../client/graft-client.js';
import { RUN_STATE } from '../client/operations/following.js';

export interface RunEvent {
  status: string;
  progress: number;
  message: string;
  error: { code: string; message: string } | null;
}

/**
 * Follows a run to its end, on stderr: with a bar where that is a terminal, elsewhere with a line for each tenth, and how it ended everywhere.
 * @throws GraftClientError when it failed or was cancelled, and when nothing more is told of it though it has not ended
 */
export async function followRun<Data>(
  runId: string,
  events: AsyncIterable<Data>,
  eventOf: (data: Data) => RunEvent,
): Promise<void> {
  const bar = new SingleBar(
    { format: '{bar} {percentage}% {message}', hideCursor: true, noTTYOutput: false, stream: process.stderr },
    Presets.shades_classic,
  );
  bar.start(100, 0, { message: '' });
  let last: RunEvent | undefined;
  let reportedTenths = 0;
  try {
    for await (const data of events) {
      last = eventOf(data);
      const { status, progress, message, error } = last;
      bar.update(Math.round(progress * 100), { message });
      const tenths = Math.floor(10 * progress);
      if (!process.stderr.isTTY && progress < 1 && tenths > reportedTenths) {
        process.stderr.write(`${Math.round(100 * progress)} % ${message}\n`);
        reportedTenths = tenths;
      }
      if (error) throw new GraftClientError(error.code, error.message);
      if (status === 'CANCELLED') throw new GraftClientError(status, 'The run was cancelled.');
    }
  } finally {
    bar.stop();
  }
  // A gateway that stops completes its streams; another takes the run up.
  if (last?.status !== 'SUCCEEDED')
    throw new GraftClientError(
      'SHUTTING_DOWN',
      `The gateway told no more of the run ${runId} before it ended.`,
      'Where the gateway stopped, the run goes on when it is back. `graft runs` shows it.',
    );
  process.stderr.write(`${last.status}${last.message === '' ? '' : `: ${last.message}`}\n`);
}

interface RunState {
  status: string;
  /** Of its items, once it has succeeded. */
  failures: number;
}

/** How a run stands; null where it is not there any more. */
export async function runState(client: Pick<GraftClient, 'request'>, runId: string): Promise<RunState | null> {
  const { node } = await client.request<{ node: RunState | null }>(RUN_STATE, { id: runId });
  return node;
}
