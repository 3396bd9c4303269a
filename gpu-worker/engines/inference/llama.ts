import { availableParallelism } from 'node:os';
import { getLlama, getModuleVersion, LlamaLogLevel, type Llama, type LlamaGpuType } from 'node-llama-cpp';
import { log, type Level } from '../../log.js';

const LEVELS: Partial<Record<LlamaLogLevel, Level>> = {
  [LlamaLogLevel.fatal]: 'error',
  [LlamaLogLevel.error]: 'error',
  [LlamaLogLevel.warn]: 'warn',
};

/** Said of each tensor of an adapter where the processor has AMX: 210 lines that ask for nothing. */
const HARMLESS = /cannot use buft/;

/** llama.cpp's own messages at warn and above go to the log; `onMessage` sees them too. */
export async function openLlama(gpu: LlamaGpuType, onMessage?: (text: string) => void): Promise<Llama> {
  return getLlama({
    // Never compile: a machine without a compiler would wait for nothing, and one with a compiler for minutes.
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    gpu,
    // Left out, node-llama-cpp takes at least four threads; on two cores that was about 100 times slower.
    maxThreads: availableParallelism(),
    logLevel: LlamaLogLevel.warn,
    logger: (level, text) => {
      onMessage?.(text);
      log((!HARMLESS.test(text) && LEVELS[level]) || 'debug', `llama.cpp: ${text.trim()}`);
    },
  });
}

export async function llamaVersion(llama: Llama): Promise<string> {
  return `node-llama-cpp ${await getModuleVersion()}, llama.cpp ${llama.llamaCppRelease.release}`;
}
