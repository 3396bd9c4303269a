import { Presets, SingleBar } from 'cli-progress';
import { GraftClientError } from '../client/graft-client.js';

export interface RunEvent {
  status: string;
  progress: number;
  message: string;
  error: { code: string; message: string } | null;
}

/**
 * Follows a run to its end, with a bar on stderr where that is a terminal.
 * @throws GraftClientError when it failed or was cancelled
 */
export async function followRun<Data>(events: AsyncIterable<Data>, eventOf: (data: Data) => RunEvent): Promise<void> {
  const bar = new SingleBar(
    { format: '{bar} {percentage}% {message}', hideCursor: true, noTTYOutput: false, stream: process.stderr },
    Presets.shades_classic,
  );
  bar.start(100, 0, { message: '' });
  try {
    for await (const data of events) {
      const { status, progress, message, error } = eventOf(data);
      bar.update(Math.round(progress * 100), { message });
      if (error) throw new GraftClientError(error.code, error.message);
      if (status === 'CANCELLED') throw new GraftClientError(status, 'The run was cancelled.');
    }
  } finally {
    bar.stop();
  }
}
