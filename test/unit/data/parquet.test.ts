import { TaskKind } from '../../../src/sources/data/datasets/tasks/index.js';
import { parquetFile, dataFolder } from '../../support/data-files.js';
import { made, storedRows } from '../../support/make-version.js';

const folder = await dataFolder();
let files = 0;

async function imported(task: TaskKind, select: string, columns: Record<string, string>) {
  const file = await parquetFile(folder, `rows-${++files}.parquet`, select);
  return made({ task, files: [{ file, mapping: { columns } }] });
}

const contents = async (version: Awaited<ReturnType<typeof imported>>) =>
  (await storedRows(version)).map(({ body }) => JSON.parse(body) as Record<string, unknown>);

describe('integers of 64 bits in Parquet', () => {
  it.each(['BIGINT', 'UBIGINT'])('place entities (%s)', async (type) => {
    const entities = `[{'start': 0::${type}, 'end': 3::${type}, 'label': 'person'}]`;
    const version = await imported(
      TaskKind.EXTRACTION,
      `SELECT 'Ada met Bob, not Ada' AS text, ${entities} AS entities`,
      { TEXT: 'text', ENTITIES: 'entities' },
    );
    expect(version.report.problems.filter((p) => p.quarantined > 0)).toEqual([]);
    expect(await contents(version)).toMatchObject([{ entities: [{ type: 'person', text: 'Ada', start: 0, end: 3 }] }]);
  });

  it('place answers, in a column and in lists', async () => {
    const mapped = { QUESTION: 'question', CONTEXT: 'context' };
    const select = (answer: string) => `SELECT 'Who?' AS question, 'It was Ada' AS context, ${answer}`;
    const spans = [{ spans: [{ text: 'Ada', start: 7, end: 10 }] }];
    const column = await imported(TaskKind.QUESTION_ANSWERING, select(`'Ada' AS answer, 7::BIGINT AS answer_start`), {
      ...mapped,
      ANSWER: 'answer',
      ANSWER_START: 'answer_start',
    });
    expect(await contents(column)).toMatchObject(spans);
    const lists = await imported(
      TaskKind.QUESTION_ANSWERING,
      select(`{'text': ['Ada'], 'answer_start': [7::BIGINT]} AS answers`),
      { ...mapped, ANSWERS: 'answers' },
    );
    expect(await contents(lists)).toMatchObject(spans);
  });

  it('keep every digit of ids, also beyond 2^53', async () => {
    const ids = ['1', '9007199254740992', '9007199254740993', '-9007199254740993'];
    const version = await imported(
      TaskKind.CLASSIFICATION,
      ids.map((id) => `SELECT 'text of ${id}' AS text, 'x' AS label, '${id}'::BIGINT AS user_id`).join(' UNION ALL '),
      { TEXT: 'text', LABEL: 'label', SUBJECT: 'user_id' },
    );
    expect((await storedRows(version)).map(({ subject }) => subject)).toEqual(ids);
  });
});

describe('times in Parquet', () => {
  it.each([
    ['with a zone', `'2024-01-01 10:00:00+00'::TIMESTAMPTZ`],
    ['without one', `'2024-01-01 10:00:00'::TIMESTAMP`],
    ['as milliseconds', `1704103200000::BIGINT`],
    ['as seconds', `1704103200::BIGINT`],
  ])('are read %s', async (_form, time) => {
    const version = await imported(TaskKind.CLASSIFICATION, `SELECT 'a' AS text, 'x' AS label, ${time} AS at`, {
      TEXT: 'text',
      LABEL: 'label',
      EVENT_TIME: 'at',
    });
    expect((await storedRows(version)).map((row) => row.event_time)).toEqual([Date.UTC(2024, 0, 1, 10)]);
  });
});
