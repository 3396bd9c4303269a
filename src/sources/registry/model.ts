import { badInput, GraftError } from '../../kernel/errors.js';
import type { Uuid } from '../../kernel/ids.js';
import { storedJson } from '../../kernel/stored-json.js';
import { checkedName } from '../../kernel/text.js';
import type { Prisma } from '../../platform/database/index.js';
import { parseHubFile } from '../../platform/models-on-disk/index.js';
import { chatForm, type ChatForm, type ModelDescription, type ModelFile } from '../../worker-protocol/index.js';
import type { ModelSource } from './download-run.js';

export type ModelRow = Prisma.BaseModelGetPayload<object>;
export type VariantRow = Prisma.ModelVariantGetPayload<object>;

export const storedChat = storedJson(chatForm);

/** A variant that can answer: what the worker needs to load it and what the prompt needs to fit it. */
export interface ServedVariant {
  variantId: string;
  modelId: string;
  /** Name of the base model. */
  model: string;
  quantization: string;
  /** Absolute path of the GGUF file. */
  path: string;
  sha256: string;
  bytes: number;
  /** Tokens. */
  contextLength: number;
  /** How it reads a conversation. */
  chat: ChatForm;
  architecture: string;
  parameters: number;
  licence: string | null;
}

/** A variant as the workers take it, under adapters where some are to act on it. */
export const modelFileOf = (
  { path, sha256, contextLength }: Pick<ServedVariant, 'path' | 'sha256' | 'contextLength'>,
  adapters?: ModelFile['adapters'],
): ModelFile => ({ path, sha256, contextLength, ...(adapters && { adapters }) });

/** Where a model is to come from; exactly one of the three. */
export interface ModelSourceInput {
  /** Row id of an uploaded file. */
  fileId?: Uuid | null;
  catalogueName?: string | null;
  /** `hf:owner/repo/file.gguf`. */
  hubFile?: string | null;
}

/** @throws BAD_USER_INPUT unless exactly one source is given and well-formed */
export function modelSource(input: ModelSourceInput): ModelSource {
  const { fileId, catalogueName, hubFile } = input;
  const sources = [fileId, catalogueName, hubFile].filter((source) => source !== null && source !== undefined);
  if (sources.length !== 1)
    throw badInput('input', 'Give exactly one of fileId, catalogueName and hubFile.', `${sources.length} were given.`);
  if (fileId) return { from: 'upload', fileId };
  if (catalogueName) return { from: 'catalogue', name: catalogueName };
  return { from: 'hub', file: parseHubFile((hubFile ?? '').replace(/^hf:/, ''), 'input.hubFile') };
}

/** Suffixes that say how a GGUF file is quantized: `-Q4_K_M`, `.f16`, `-IQ2_XS`. */
const QUANTIZATION_SUFFIX = /[-._](?:i?q\d[a-z0-9_]*|bf16|f16|f32|fp16)$/i;

/** The name of a model whose file is called so: without ending and quantization, in the characters that names may have. */
export function modelNameOf(fileName: string): string {
  const base = (fileName.split('/').at(-1) ?? '').replace(/\.gguf$/i, '').replace(QUANTIZATION_SUFFIX, '');
  const name = base
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63);
  return checkedName(name === '' ? 'model' : name, 'input.name');
}

/** Counting differs a little between quantizations of one model: some store the output matrix again. */
const SAME_SIZE = 0.15;

/** @throws ALREADY_EXISTS when a file with this description is no variant of the model that has the name */
export function checkSameModel(model: ModelRow, description: ModelDescription): void {
  const parameters = Number(model.parameters);
  const similar = Math.abs(description.parameters - parameters) <= SAME_SIZE * parameters;
  if (model.architecture === description.architecture && similar) return;
  throw new GraftError(
    'ALREADY_EXISTS',
    `The name ${model.name} belongs to another model (${model.architecture}, ${model.parameters} parameters); ` +
      `this file is ${description.architecture} with ${description.parameters}.`,
    { field: 'input.name', hint: 'Register it under another name.' },
  );
}
