import type { Command } from 'commander';
import { GraftClientError } from '../client/graft-client.js';
import { AskDocument, AskStreamDocument, type AskStreamSubscription } from '../client/operations/index.js';
import { say } from '../platform/terminal.js';
import { linesBelow } from './answer-lines.js';
import type { WithClient } from './keys.js';

/** @param repeated gathers an option that may be given several times */
export function addAskCommand(
  program: Command,
  withClient: WithClient,
  repeated: (value: string, before?: string[]) => string[],
): void {
  program
    .command('ask <question>')
    .description('answer a question, with its sources')
    .option('-c, --collection <name>', 'answer from this collection only; may be repeated', repeated)
    .action((question: string, { collection }: { collection?: string[] }) =>
      withClient(async (client, { json }) => {
        const input = { question, ...(collection ? { collections: collection } : {}) };
        if (json) return say(JSON.stringify((await client.request(AskDocument, { input })).ask, null, 2));
        await writeAnswer(client.subscribe(AskStreamDocument, { input }), process.stdout);
      }),
    );
}

/**
 * A terminal shows the answer as it is written, and why it is taken back; a pipe gets only what it is in the end.
 * @throws GraftClientError SHUTTING_DOWN where the events end before there is one
 */
export async function writeAnswer(
  events: AsyncIterable<AskStreamSubscription>,
  output: { isTTY?: boolean; write: (text: string) => unknown },
): Promise<void> {
  let isShown = false;
  let ready = false;
  const show = (text: string): void => {
    isShown = true;
    output.write(text);
  };
  for await (const { askStream: event } of events) {
    if (event.__typename === 'TextDelta' && output.isTTY) show(event.text);
    if (event.__typename === 'TextReplaced' && output.isTTY)
      show(`${isShown ? '\n\n' : ''}${event.reason}\n${event.text}`);
    if (event.__typename !== 'AnswerReady') continue;
    ready = true;
    if (!isShown) show(event.answer.text);
    output.write(
      `\n${linesBelow(event.answer)
        .map((line) => `${line}\n`)
        .join('')}`,
    );
  }
  if (ready) return;
  // A gateway that stops completes its streams.
  if (isShown) output.write('\n');
  throw new GraftClientError('SHUTTING_DOWN', 'The gateway told no more before the answer was ready.', 'Ask again.');
}
