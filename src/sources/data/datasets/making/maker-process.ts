/**
 * The process that makes dataset versions: it opens users' files with native code (DuckDB), which may crash or grow, and
 * works for minutes; in the gateway it would take the API with it or hold it up.
 */
import { setPriority } from 'node:os';
import { workOn, type Parent } from '../../../../task-process/index.js';
import type { TokenCounter } from '../validation/rule.js';
import type { MakerTask } from './maker-protocol.js';

/** Below the gateway and the serve worker: answering questions comes first. */
const NICE = 10;

const counterOf =
  (gateway: Parent<MakerTask>): TokenCounter =>
  async (texts) =>
    // Four bytes a token is what the rule takes without a tokenizer.
    (await gateway.ask(texts)) ?? texts.map((text) => Math.ceil(Buffer.byteLength(text) / 4));

workOn<MakerTask>(async (task, gateway) => {
  // Each task loads what it needs: a look at a file is over sooner than DuckDB is loaded.
  if (task.kind === 'sniff') {
    const { sniffFile } = await import('../files/sniff.js');
    return { kind: 'sniffed', shape: await sniffFile(task.file, task.folder, task.hints) };
  }
  setPriority(NICE);
  const { makeVersion } = await import('./make-version.js');
  const version = await makeVersion(task.recipe, {
    folder: task.folder,
    parent: task.parent,
    countTokens: task.counts ? counterOf(gateway) : null,
    signal: new AbortController().signal,
    progress: (fraction, message) => gateway.tell({ fraction, message }),
  });
  return { kind: 'made', version };
});
