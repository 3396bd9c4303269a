// The program of every worker process: `serve` or `train` for as long as the channel is open, or one throw-away task.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workOn } from '../src/task-process/index.js';
import { serveOptions, trainOptions } from '../src/worker-protocol/index.js';
import type { ThrowAwayTasks } from './in-child.js';
import { errorFields, log } from './log.js';

// A terminal's Ctrl-C reaches the whole group; the gateway decides when its workers end.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => process.exit(0));
process.on('uncaughtException', (error) => {
  log('error', 'the worker ends after an unexpected error', errorFields(error));
  process.exit(1);
});

function graftVersion(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
}

const [task, argument] = process.argv.slice(2);
const given: unknown = JSON.parse(argument ?? '{}');
if (process.send === undefined) {
  log('error', 'this program is started by the gateway, not by hand');
  process.exit(2);
}
switch (task) {
  case 'serve':
    await (await import('./serve.js')).serve(serveOptions.parse(given), graftVersion());
    break;
  case 'train':
    await (await import('./train.js')).train(trainOptions.parse(given), graftVersion());
    break;
  case 'probe': {
    const { probe } = await import('./probe.js');
    workOn<ThrowAwayTasks['probe']>(probe);
    break;
  }
  case 'inspect': {
    const { inspectModel } = await import('./inspect.js');
    workOn<ThrowAwayTasks['inspect']>(({ path }) => inspectModel(path));
    break;
  }
  case 'chat': {
    const { readChat } = await import('./chat/read-chat.js');
    workOn<ThrowAwayTasks['chat']>(async (source) => readChat(source));
    break;
  }
  case 'quantize': {
    const { quantizeFile } = await import('./engines/quantization/quantize.js');
    workOn<ThrowAwayTasks['quantize']>((input, parent) =>
      quantizeFile(input, (fraction) => void parent.tell(fraction)),
    );
    break;
  }
  case 'compare': {
    const { compareModels } = await import('./engines/quantization/compare.js');
    workOn<ThrowAwayTasks['compare']>((input, parent) =>
      compareModels(input, (fraction) => void parent.tell(fraction)),
    );
    break;
  }
  case 'agree': {
    const { agreeModels } = await import('./engines/quantization/compare.js');
    workOn<ThrowAwayTasks['agree']>((input, parent) => agreeModels(input, (fraction) => void parent.tell(fraction)));
    break;
  }
  default:
    log('error', 'unknown task', { task });
    process.exit(2);
}
