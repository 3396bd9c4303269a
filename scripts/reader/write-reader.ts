import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { toGgufLora } from '../../gpu-worker/engines/training/model/adapter-files.js';
import { GgufWeights } from '../../gpu-worker/engines/training/model/gguf-weights.js';
import { probeAdapter } from '../../gpu-worker/engines/training/probe-adapter.js';
import { tokenizeTexts } from '../../gpu-worker/engines/training/tokenize.js';
import { describeGguf } from '../../gpu-worker/formats/gguf/describe.js';
import { readPeftAdapter, writePeftAdapter } from '../../gpu-worker/formats/peft/peft-adapter.js';
import { RENDERING_VERSION } from '../../src/sources/data/index.js';
import { probeCandidates, probePrompts } from '../../src/learn/training/adapters/probes.js';
import { sha256 } from '../../src/kernel/hashing.js';
import { encodeLogits, READER_TASK, READER_USAGE, type BuiltInAdapter } from '../../src/learn/training/index.js';
import type { ModelFile } from '../../src/worker-protocol/index.js';
import { READER_RECIPE, REPLAY_TOKENS } from './recipe.js';
import type { TrainedReader } from './train-reader.js';
import { chatOf } from './chat-of.js';

/** The reader as it is shipped: both of its forms in half precision, and `reader.json`, which names them by digest. */
export async function writeReader(
  trained: TrainedReader,
  model: ModelFile & { name: string },
  folder: string,
): Promise<BuiltInAdapter> {
  const adapter = { ...(await readPeftAdapter(dirname(trained.files.weights.path))), baseModel: model.name };
  mkdirSync(folder, { recursive: true });
  await writePeftAdapter(folder, adapter, 'F16');
  writeFileSync(join(folder, 'adapter.gguf'), toGgufLora(adapter, new GgufWeights(model.path, 1).config, 'F16'));
  const file = (name: string): BuiltInAdapter['files']['gguf'] => {
    const bytes = readFileSync(join(folder, name));
    return { name, sha256: sha256(bytes), bytes: bytes.length };
  };
  const files = {
    config: file('adapter_config.json'),
    weights: file('adapter_model.safetensors'),
    gguf: file('adapter.gguf'),
  };
  const { lora, ...recipe } = READER_RECIPE;
  const { share, examples, refused, readings, steps, smoothedLoss } = trained;
  const reader: BuiltInAdapter = {
    v: 1,
    name: 'reader',
    description: 'Answers a question with a span of the passages that it is shown, or says that they do not answer it.',
    base: { model: model.name, sha256: model.sha256 },
    rendering: RENDERING_VERSION,
    ...lora,
    files,
    recipe: { ...recipe, replayTokens: REPLAY_TOKENS },
    metrics: { share, examples, refused, readings, steps, smoothedLoss },
    probe: await probeReader(model, folder, files),
  };
  writeFileSync(join(folder, 'reader.json'), `${JSON.stringify(reader, null, 2)}\n`);
  return reader;
}

/** What the shipped files change in the engine that trained them. */
async function probeReader(
  model: ModelFile,
  folder: string,
  files: BuiltInAdapter['files'],
): Promise<BuiltInAdapter['probe']> {
  const { vocabulary } = describeGguf(model.path);
  const adapter = { task: READER_TASK, usage: READER_USAGE };
  const texts = probePrompts(adapter, { chat: chatOf(model.path) });
  const { signal } = new AbortController();
  const { tokens } = await tokenizeTexts({ model, texts }, { signal });
  const at = ({ name, sha256: digest }: { name: string; sha256: string }) => ({
    path: join(folder, name),
    sha256: digest,
  });
  const scratch = mkdtempSync(join(tmpdir(), 'graft-reader-probe-'));
  try {
    const { modules, off, on } = await probeAdapter(
      {
        model,
        prompts: tokens,
        candidates: probeCandidates(adapter, vocabulary),
        scale: 1,
        folder: scratch,
        adapter: { config: at(files.config), weights: at(files.weights), gguf: at(files.gguf) },
        executor: 'onnx',
      },
      { signal },
    );
    return { modules, off: encodeLogits(off), on: encodeLogits(on) };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
