/**
 * Documents and messages of one organisation, which are about the same things: a plain question is asked where collections are named, and where none are.
 * The messages and questions of three organisations were written for this, `greenhouses` is the examples. When documents go first was chosen on all four.
 *
 *   npm run bench -- near-domain [--only campsite,greenhouses] [--record FILE]   (all that was known of each question, as lines of JSON)
 *
 * Right is a message with a label, and a question that is answered with a quote that holds its answer. Beside it: documents alone.
 */
import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GraftClient } from '../src/client/graft-client.js';
import type { AskInput } from '../src/client/operations/index.js';
import { seededRandom, shuffled } from '../src/kernel/random.js';
import { holdsGold } from './support/questions.js';
import { listOption, textOption } from './support/options.js';
import { describeMachine, median, printResult } from './support/report.js';
import { shareOf } from './support/shares.js';
import { ingest, promoteTiny, reached, withGateway } from './support/tiny-adapter.js';

const FOLDER = 'bench/near-domain';
const EXAMPLES = 'greenhouses';
const ONLY = listOption('only');
const RECORD = textOption('record', '');
/** Each third message is asked; the others are learned from. */
const ASKED = 3;

interface Message {
  text: string;
  label: string;
  /** Whether it asks for what documents say, as some of any inbox do: a label and an answer are both right. */
  general?: boolean;
}
interface DocumentQuestion {
  text: string;
  answer: string;
}
interface Organisation {
  name: string;
  documents: string[];
  messages: Message[];
  questions: DocumentQuestion[];
}

function organisations(): Organisation[] {
  const written = readdirSync(FOLDER).map((file): Organisation => {
    const name = file.replace('.jsonl', '');
    const lines = readFileSync(join(FOLDER, file), 'utf8').trim().split('\n');
    const rows = lines.map((line) => JSON.parse(line) as { kind: string } & Message & DocumentQuestion);
    return {
      name,
      documents: readdirSync('bench/question-lists')
        .filter((document) => document.startsWith(name))
        .map((document) => join('bench/question-lists', document)),
      messages: rows.filter(({ kind }) => kind === 'message'),
      questions: rows.filter(({ kind }) => kind === 'question'),
    };
  });
  const asked = JSON.parse(readFileSync('examples/questions.json', 'utf8')) as {
    question: string;
    answer: string | null;
  }[];
  return [
    ...written,
    {
      name: EXAMPLES,
      documents: readdirSync('examples/handbook').map((document) => join('examples/handbook', document)),
      messages: exampleMessages(),
      questions: asked.flatMap(({ question, answer }) => (answer === null ? [] : [{ text: question, answer }])),
    },
  ];
}

/** `id,text,label,…`, the text in quotation marks where it holds a comma. */
function exampleMessages(): Message[] {
  const rows = readFileSync('examples/messages.csv', 'utf8').matchAll(
    /^msg-\d+,(?:"((?:[^"]|"")*)"|([^,\n]*)),(\w+),/gm,
  );
  return [...rows].map(([, quoted, plain, label]) => ({
    text: quoted?.replaceAll('""', '"') ?? plain!,
    label: label!,
  }));
}

const ASK = `query ($input: AskInput!) { ask(input: $input) {
  text adapter { name } abstention { reason probability }
  evidence { quote similarity coverage answerability score }
  route { strategy candidates { strategy adapter probability pValue order nearest { similarity } passage { similarity } } }
} }`;
interface AskAnswer {
  ask: { text: string; adapter: { name: string } | null; abstention: object | null };
}

interface Told {
  /** Each counts alone in the intervals. */
  document: string;
  kind: 'message' | 'general message' | 'question';
  /** Whether an adapter gave a label. */
  labelled: boolean;
  right: boolean;
  refused: boolean;
  ms: number;
}

async function told(
  client: GraftClient,
  { messages, questions }: Pick<Organisation, 'messages' | 'questions'>,
  how: Partial<AskInput>,
): Promise<Told[]> {
  const all = [
    ...messages.map(({ text, general }) => ({
      text,
      answer: null,
      kind: general ? ('general message' as const) : ('message' as const),
    })),
    ...questions.map((question) => ({ ...question, kind: 'question' as const })),
  ];
  const answers: Told[] = [];
  for (const { text, answer, kind } of all) {
    const began = performance.now();
    const { ask } = await client.request<AskAnswer, { input: AskInput }>(ASK, { input: { question: text, ...how } });
    const ms = performance.now() - began;
    const refused = ask.abstention !== null;
    const labelled = !refused && ask.adapter !== null;
    const right = answer === null ? labelled : !refused && !labelled && holdsGold({ gold: [answer], answer: ask.text });
    if (RECORD !== '')
      appendFileSync(RECORD, `${JSON.stringify({ ...how, kind, question: text, answer, right, ...ask })}\n`);
    answers.push({ document: text, kind, labelled, right, refused, ms });
  }
  return answers;
}

const shuffledBy = seededRandom(1);

async function measure(client: GraftClient, { name, documents, messages, questions }: Organisation) {
  const files = [];
  for (const path of documents) files.push({ name: path.split('/').at(-1)!, file: await client.upload(path) });
  await ingest(client, 'pages', files);
  const order = shuffled(messages, shuffledBy);
  const asked = order.filter((_, i) => i % ASKED === 0);
  console.log(
    await promoteTiny(
      client,
      'inbox',
      order.filter((_, i) => i % ASKED !== 0),
    ),
  );
  await reached(client, ['inbox']);
  const ways: Record<string, Partial<AskInput>> = {
    'no collections named': {},
    'collections named': { collections: ['pages'] },
    'documents alone': { collections: ['pages'], strategy: 'RAG' },
  };
  const rows = [];
  for (const [way, how] of Object.entries(ways)) {
    const all = await told(client, { messages: asked, questions }, how);
    const [own, general, about] = (['message', 'general message', 'question'] as const).map((kind) =>
      all.filter((each) => each.kind === kind),
    ) as [Told[], Told[], Told[]];
    rows.push({
      organisation: name,
      asked: way,
      messages: own.length,
      'messages labelled': shareOf(own, ({ labelled }) => labelled),
      'messages answered from documents': shareOf(own, ({ labelled, refused }) => !labelled && !refused),
      'general messages': general.length,
      'general messages labelled or answered': general.length === 0 ? '' : shareOf(general, ({ refused }) => !refused),
      questions: about.length,
      'questions right from documents': shareOf(about, ({ right }) => right),
      'questions labelled': shareOf(about, ({ labelled }) => labelled),
      'questions refused': shareOf(about, ({ refused }) => refused),
      'median ms': Math.round(median(all.map(({ ms }) => ms))),
    });
    console.log(JSON.stringify(rows.at(-1)));
  }
  return rows;
}

const rows: Awaited<ReturnType<typeof measure>> = [];
for (const organisation of organisations().filter(({ name }) => ONLY?.includes(name) ?? true))
  await withGateway(async (client) => {
    rows.push(...(await measure(client, organisation)));
  });
printResult('near-domain', { machine: describeMachine(), rows }, ['organisation', 'asked']);
