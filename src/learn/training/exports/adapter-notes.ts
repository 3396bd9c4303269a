import { z } from 'zod';
import { TASK_KINDS } from '../../../sources/data/index.js';
import { badInput, GraftError } from '../../../kernel/errors.js';
import { parseBounded } from '../../../kernel/json-limits.js';
import { anyJson } from '../../../kernel/stored-json.js';
import { adapterUsage } from '../../../sources/registry/index.js';

/**
 * `graft.json`, which an exported adapter carries beside PEFT's two files: what Python needs nothing of, and without which nobody could
 * ask the adapter in the form that it was trained in.
 */
const adapterNotes = z.object({
  format: z.literal(1),
  adapter: z.string(),
  version: z.number().int(),
  task: z.enum(TASK_KINDS),
  /** The base model's file. */
  base: z.object({ model: z.string(), quantization: z.string(), sha256: z.string() }),
  usage: adapterUsage,
  /** The scale stands in the alpha of PEFT's configuration, where every tool reads it. */
  scale: z.literal(1),
  recipe: anyJson.nullable(),
});
type AdapterNotes = z.infer<typeof adapterNotes>;

export const encodeNotes = (notes: AdapterNotes): Buffer => Buffer.from(`${JSON.stringify(notes, null, 2)}\n`);

/**
 * Notes that came with an archive from anywhere: they are believed only where they fit what is imported.
 * @param vocabulary number of tokens of the model that the adapter is for
 * @throws ADAPTER_INVALID when they can't be read or name tokens that the model lacks, BAD_USER_INPUT when they are of another task
 */
export function decodeNotes(bytes: Buffer, task: string, vocabulary: number): AdapterNotes {
  const notes = adapterNotes.safeParse(parsed(bytes));
  if (!notes.success) throw unusable(`${notes.error.issues[0]?.path.join('.') ?? 'it'} is not as Graft writes it`);
  if (notes.data.task !== task)
    throw badInput('input.task', `The archive’s graft.json says that the adapter was made for ${notes.data.task}.`);
  const { answer } = notes.data.usage;
  if (answer.form === 'label-token' && answer.labels.some(({ token }) => token >= vocabulary))
    throw unusable('it names tokens that the model doesn’t have');
  return notes.data;
}

/** A thousand labels with a few values each, and a recipe. */
const NOTES_LIMITS = { values: 50_000, nesting: 16 };

function parsed(bytes: Buffer): unknown {
  try {
    return parseBounded(bytes, NOTES_LIMITS);
  } catch {
    throw unusable('it is not JSON, or of another form than Graft writes');
  }
}

const unusable = (reason: string): GraftError =>
  new GraftError('ADAPTER_INVALID', `The archive’s graft.json can’t be used: ${reason}.`, {
    hint: 'Take it out of the archive and say in the input what the adapter answers with.',
  });
