import { open } from 'node:fs/promises';
import { readGgufFileInfo, type GgufFileInfo } from 'node-llama-cpp';
import { GraftError } from '../../../src/kernel/errors.js';
import type { ModelDescription } from '../../../src/worker-protocol/index.js';
import { tensorBytes, tensorTypeName } from './tensor-types.js';

const invalid = (message: string, cause?: unknown): GraftError =>
  new GraftError('MODEL_FILE_INVALID', message, { cause });
const unsupported = (message: string): GraftError => new GraftError('MODEL_UNSUPPORTED', message);

/** Architectures that llama.cpp loads but that don't write text. */
const NOT_GENERATORS = new Set([
  'clip',
  'bert',
  'nomic-bert',
  'nomic-bert-moe',
  'jina-bert-v2',
  'jina-bert-v3',
  'modern-bert',
  'neo-bert',
  'gemma-embedding',
  't5encoder',
  'wavtokenizer-dec',
]);

/**
 * What the header of a GGUF file says, after checking that the file is as long as its header claims. Nothing is loaded.
 * @throws MODEL_FILE_INVALID, MODEL_UNSUPPORTED
 */
export async function describeGguf(path: string): Promise<ModelDescription> {
  const bytes = await checkedSize(path);
  const info = await header(path);
  const { general, tokenizer } = info.metadata;
  const architecture = String(general.architecture ?? '');
  const type = (general as { type?: unknown }).type;
  if (type !== undefined && type !== 'model') throw invalid(`The file holds ${articled(String(type))}, not a model.`);
  const splits = Number((info.metadata as { split?: { count?: unknown } }).split?.count ?? 1);
  if (splits > 1) throw unsupported(`The model is split into ${splits} files; merge them with llama-gguf-split first.`);
  if (architecture === '') throw invalid('The file’s header names no architecture.');
  if (NOT_GENERATORS.has(architecture))
    throw unsupported(`A model of architecture ${JSON.stringify(architecture)} does not generate text.`);
  const { parameters, quantization } = checkedTensors(info, bytes);
  const ggml = tokenizer?.ggml;
  const tokens: readonly unknown[] = ggml?.tokens ?? [];
  if (tokens.length === 0) throw invalid('The file holds no vocabulary.');
  const tokenText = (id: unknown): string => (typeof id === 'number' ? String(tokens[id] ?? '') : '');
  return {
    architecture,
    parameters,
    quantization,
    contextLength: Number(info.architectureMetadata?.context_length ?? 0),
    vocabulary: tokens.length,
    chatTemplate: text(tokenizer?.chat_template),
    bosToken: tokenText(ggml?.bos_token_id),
    eosToken: tokenText(ggml?.eos_token_id),
    licence: text(general.license),
    name: text(general.name),
    bytes,
  };
}

async function checkedSize(path: string): Promise<number> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    throw invalid('The file can’t be opened.', error);
  }
  try {
    const { size } = await file.stat();
    const magic = Buffer.alloc(4);
    await file.read(magic, 0, 4, 0);
    if (magic.toString('latin1') !== 'GGUF')
      throw invalid('The file is not GGUF: it doesn’t begin with those letters.');
    return size;
  } finally {
    await file.close();
  }
}

async function header(path: string): Promise<GgufFileInfo> {
  try {
    return await readGgufFileInfo(path, { sourceType: 'filesystem', logWarnings: false, spliceSplitFiles: false });
  } catch (error) {
    throw invalid('The file’s header is cut short or corrupt.', error);
  }
}

function checkedTensors(info: GgufFileInfo, fileBytes: number): { parameters: number; quantization: string } {
  let parameters = 0;
  const elementsOfType = new Map<number, number>();
  const tensors = info.tensorInfo ?? [];
  if (tensors.length === 0) throw invalid('The file holds no weights.');
  for (const { name, dimensions, ggmlType, fileOffset } of tensors) {
    const elements = dimensions.reduce<number>((product, size) => product * Number(size), 1);
    if (tensorTypeName(ggmlType) === null)
      throw unsupported(`Tensor ${JSON.stringify(name)} is of type ${ggmlType}, which can’t be served here.`);
    const bytes = tensorBytes(ggmlType, elements);
    if (bytes === null || !Number.isSafeInteger(elements) || elements <= 0)
      throw invalid(`Tensor ${JSON.stringify(name)} has an impossible shape.`);
    const end = Number(fileOffset) + bytes;
    if (end > fileBytes)
      throw invalid(`The file is cut short: it has ${fileBytes} bytes, and its weights reach to byte ${end}.`);
    parameters += elements;
    elementsOfType.set(ggmlType, (elementsOfType.get(ggmlType) ?? 0) + elements);
  }
  const [dominant] = [...elementsOfType].sort(([, a], [, b]) => b - a);
  return { parameters, quantization: dominant === undefined ? '' : (tensorTypeName(dominant[0]) ?? '') };
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const articled = (noun: string): string => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
