import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { GraftError } from '../../../../kernel/errors.js';
import { decodeText } from './decode.js';
import type { MappingOnto } from './file-mapping.js';
import { parseJson } from './parse-json.js';
import { valueAt } from './read-text.js';
import { batched, MAX_JSON_BYTES, type DataFile, type SourceRecord } from './records.js';

const SQUAD = z.object({
  data: z.array(
    z.object({
      title: z.string().default(''),
      paragraphs: z.array(
        z.object({
          context: z.string(),
          qas: z.array(
            z.object({
              id: z.union([z.string(), z.number()]),
              question: z.string(),
              answers: z.array(z.object({ text: z.string(), answer_start: z.number() })).default([]),
              is_impossible: z.boolean().optional(),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** Columns of a SQuAD file. `text` makes each context and each question a record of its own, for pairs of translated files. */
export const SQUAD_COLUMNS = ['id', 'title', 'context', 'question', 'answers', 'text'] as const;

async function parseWhole(file: DataFile, mapping: Pick<MappingOnto, 'encoding'>): Promise<unknown> {
  if (file.bytes > MAX_JSON_BYTES)
    throw new GraftError(
      'PAYLOAD_TOO_LARGE',
      `${file.name} is one JSON document of more than ${MAX_JSON_BYTES / 1024 / 1024} MiB.`,
      {
        hint: 'Write one object a line (JSONL) or Parquet: those are streamed.',
      },
    );
  let text = '';
  for await (const piece of decodeText([await readFile(file.path)] as never, mapping.encoding, file.name))
    text += piece;
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new GraftError('DATA_FILE_INVALID', `${file.name} is not JSON: ${error.message}`, {
      cause: error,
    });
  }
}

/** Records of one JSON array of objects. @throws DATA_FILE_INVALID, PAYLOAD_TOO_LARGE */
export async function* readJsonArray(
  file: DataFile,
  mapping: MappingOnto,
  columns: readonly string[],
): AsyncGenerator<SourceRecord[]> {
  const whole = await parseWhole(file, mapping);
  if (!Array.isArray(whole))
    throw new GraftError(
      'DATA_FILE_INVALID',
      `${file.name} is JSON, but neither an array of objects nor of SQuAD’s form.`,
    );
  yield* batched(
    whole.map((item: unknown, i): SourceRecord => {
      if (item && typeof item === 'object' && !Array.isArray(item))
        return { row: i + 1, line: null, values: columns.map((c) => valueAt(item as never, c)), fault: null };
      const fault = { rule: 'malformed-record', message: 'The item is not a JSON object.' };
      return { row: i + 1, line: null, values: [JSON.stringify(item)?.slice(0, 2000)], fault };
    }),
  );
}

/** Records of a file in SQuAD's form: one a question, or one a text when `text` is wanted. @throws DATA_FILE_INVALID, PAYLOAD_TOO_LARGE */
export async function* readSquad(
  file: DataFile,
  mapping: Pick<MappingOnto, 'encoding'>,
  columns: readonly string[],
): AsyncGenerator<SourceRecord[]> {
  const parsed = SQUAD.safeParse(await parseWhole(file, mapping));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new GraftError(
      'DATA_FILE_INVALID',
      `${file.name} is not of SQuAD’s form: ${issue.path.join('.')}: ${issue.message}.`,
    );
  }
  const records = [];
  for (const { title, paragraphs } of parsed.data.data)
    for (const [p, { context, qas }] of paragraphs.entries()) {
      const questions = qas.map(({ id, question, answers }) => ({
        id,
        title,
        context,
        question,
        answers,
        text: question,
      }));
      if (columns.includes('text')) records.push({ id: `${title}#${p}`, title, text: context });
      records.push(...questions);
    }
  yield* batched(
    records.map((record, i) => ({
      row: i + 1,
      line: null,
      values: columns.map((c) => valueAt(record, c)),
      fault: null,
    })),
  );
}

/** The first questions of a file, with the values of all columns. */
export async function sampleSquad(
  file: DataFile,
  encoding: MappingOnto['encoding'],
  rows: number,
): Promise<unknown[][]> {
  const columns = SQUAD_COLUMNS.filter((column) => column !== 'text');
  for await (const batch of readSquad(file, { encoding }, columns))
    return batch.slice(0, rows).map(({ values }) => [...values, values[columns.indexOf('question')]]);
  return [];
}
