import { GraftError } from '../../../src/kernel/errors.js';
import { MOST_TEMPLATE_CHARACTERS, type FileDescription } from '../../../src/worker-protocol/index.js';
import { fileTypeName } from './file-types.js';
import { invalid, readGgufHeader, type GgufHeader } from './header.js';
import { tensorBytes, tensorTypeName } from './tensor-types.js';

const unsupported = (message: string): GraftError => new GraftError('MODEL_UNSUPPORTED', message);

/** Ten times what any model was trained for. */
const MOST_CONTEXT = 2 ** 27;
const MOST_NAME = 200;

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
export function describeGguf(path: string): FileDescription {
  const header = readGgufHeader(path);
  const { metadata, fileBytes } = header;
  const text = (key: string): string | null => {
    const value = metadata.get(key);
    if (typeof value !== 'string' || value === '') return null;
    if (value.includes('\0')) throw invalid(`The file’s header has a text that no text can be (${key}).`);
    return value;
  };
  const whole = (key: string): number => {
    const value = Number(metadata.get(key) ?? 0);
    return Number.isSafeInteger(value) && value >= 0 ? value : 0;
  };
  const type = text('general.type');
  if (type !== null && type !== 'model') throw invalid(`The file holds ${articled(type)}, not a model.`);
  const architecture = checkedArchitecture(text('general.architecture'), whole('split.count'));
  const contextLength = checkedContext(whole(`${architecture}.context_length`));
  const { parameters, dominantType } = checkedTensors(header);
  const chatTemplate = text('tokenizer.chat_template');
  if ((chatTemplate?.length ?? 0) > MOST_TEMPLATE_CHARACTERS)
    throw unsupported(
      `The model’s chat template has ${chatTemplate?.length} characters; at most ${MOST_TEMPLATE_CHARACTERS} are read.`,
    );
  const vocabulary = metadata.get('tokenizer.ggml.tokens');
  if (!Array.isArray(vocabulary) || vocabulary.length === 0) throw invalid('The file holds no vocabulary.');
  const tokenOf = (key: string): string => {
    const token = metadata.has(key) ? vocabulary[whole(key)] : undefined;
    if (typeof token !== 'string') return '';
    if (token.includes('\0') || token.length > MOST_NAME)
      throw invalid(`The file’s vocabulary has no token for ${key}.`);
    return token;
  };
  return {
    architecture,
    parameters,
    quantization: fileTypeName(metadata.get('general.file_type')) ?? dominantType,
    contextLength,
    vocabulary: vocabulary.length,
    chatTemplate,
    bosToken: tokenOf('tokenizer.ggml.bos_token_id'),
    eosToken: tokenOf('tokenizer.ggml.eos_token_id'),
    licence: text('general.license')?.slice(0, MOST_NAME) ?? null,
    name: text('general.name')?.slice(0, MOST_NAME) ?? null,
    bytes: fileBytes,
  };
}

/** @throws MODEL_FILE_INVALID, MODEL_UNSUPPORTED */
function checkedArchitecture(architecture: string | null, splits: number): string {
  if (architecture === null) throw invalid('The file’s header names no architecture.');
  if (splits > 1) throw unsupported(`The model is split into ${splits} files; merge them with llama-gguf-split first.`);
  if (NOT_GENERATORS.has(architecture))
    throw unsupported(`A model of architecture ${JSON.stringify(architecture)} does not generate text.`);
  if (architecture.length > MOST_NAME) throw invalid('The file’s header names an architecture without end.');
  return architecture;
}

/** @throws MODEL_FILE_INVALID */
function checkedContext(tokens: number): number {
  if (tokens < 1 || tokens > MOST_CONTEXT)
    throw invalid(`The file’s header says that its context has ${tokens} tokens; 1 to ${MOST_CONTEXT} can be.`);
  return tokens;
}

/** @returns the number of weights, and the type that most of them have */
function checkedTensors({ tensors, fileBytes }: GgufHeader): { parameters: number; dominantType: string } {
  if (tensors.length === 0) throw invalid('The file holds no weights.');
  let parameters = 0;
  const elementsOfType = new Map<string, number>();
  for (const { name, dimensions, type, offset } of tensors) {
    const typeName = tensorTypeName(type);
    if (typeName === null)
      throw unsupported(`Tensor ${JSON.stringify(name)} is of type ${type}, which can’t be served here.`);
    const elements = dimensions.reduce((product, size) => product * size, 1);
    const bytes = tensorBytes(type, elements);
    if (bytes === null || !Number.isSafeInteger(elements) || elements <= 0)
      throw invalid(`Tensor ${JSON.stringify(name)} has an impossible shape.`);
    if (offset + bytes > fileBytes)
      throw invalid(
        `The file is cut short: it has ${fileBytes} bytes, and its weights reach to byte ${offset + bytes}.`,
      );
    parameters += elements;
    elementsOfType.set(typeName, (elementsOfType.get(typeName) ?? 0) + elements);
  }
  const [dominant] = [...elementsOfType].sort(([, a], [, b]) => b - a);
  return { parameters, dominantType: dominant?.[0] ?? '' };
}

const articled = (noun: string): string => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
