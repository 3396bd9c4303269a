/**
 * The process that makes dataset versions: it opens users' files with native code (DuckDB), which may crash or grow, and
 * works for minutes; in the gateway it would take the API with it or hold it up.
 */
import { setPriority } from 'node:os';
import { workOn, type Parent } from '../../../../task-process/index.js';
import { sniffFile } from '../files/sniff.js';
import type { TokenCounter } from '../validation/rule.js';
import { makeVersion } from './make-version.js';
import type { MakerTask } from './maker-protocol.js';

/** Below the gateway and the serve worker: answering questions comes first. */
const NICE = 10;

const counterOf =
  (gateway: Parent<MakerTask>): TokenCounter =>
  async (texts) =>
    // Four bytes a token is what the rule takes without a tokenizer.
    (await gateway.ask(texts)) ?? texts.map((text) => Math.ceil(Buffer.byteLength(text) / 4));

workOn<MakerTask>(async (task, gateway) => {
  if (task.kind === 'sniff') return { kind: 'sniffed', shape: await sniffFile(task.file, task.folder, task.hints) };
  setPriority(NICE);
  const version = await makeVersion(task.recipe, {
    folder: task.folder,
    parent: task.parent,
    countTokens: task.counts ? counterOf(gateway) : null,
    signal: new AbortController().signal,
    progress: (fraction, message) => gateway.tell({ fraction, message }),
  });
  return { kind: 'made', version };
});
