import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import {
  AskDocument,
  AskStreamDocument,
  CollectionDocument,
  CreateCollectionDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
  type AskStreamSubscription,
} from '../../client/operations/index.js';
import type { GraftClient } from '../../client/graft-client.js';
import { bold, dim, green, heading, line, wrap, yellow } from './print.js';

const COLLECTION = 'handbook';

/** One from each kind of file, then one that the handbook can't answer. */
const QUESTIONS = [
  'At what wind speed are the roof vents forced shut?',
  'From what order value is UK shipping free?',
  'What kind of lubricant goes on the Gable spindle?',
  'How many months of warranty does a Fernholt Four controller have?',
  'How quickly does the red stop button switch everything off?',
  'Who composed the opera The Magic Flute?',
];
const STREAMED = 'How high did oakleaf_77 put the repeater to get rid of the lost-sensor alarms?';

/** What of an answer is printed. */
type Told = Extract<AskStreamSubscription['askStream'], { __typename: 'AnswerReady' }>['answer'];

/** The main job from end to end, as any client would do it: load documents, watch the run, ask. */
export async function tour(client: GraftClient, examples: string): Promise<void> {
  await loadHandbook(client, join(examples, 'handbook'));
  heading('Questions answered from the handbook');
  for (const question of QUESTIONS) await ask(client, question);
  heading('The same as a stream');
  await askStreaming(client, STREAMED);
}

async function loadHandbook(client: GraftClient, folder: string): Promise<void> {
  heading('Loading the handbook of a fictitious greenhouse controller');
  // A second demo on the same home finds the collection, and ingestion skips unchanged documents.
  const { collection: existingCollection } = await client.request(CollectionDocument, { name: COLLECTION });
  if (!existingCollection) await client.request(CreateCollectionDocument, { input: { name: COLLECTION } });

  const names = readdirSync(folder).sort();
  const documents = [];
  for (const name of names) documents.push({ name, file: await client.upload(join(folder, name)) });
  const { ingestDocuments } = await client.request(IngestDocumentsDocument, {
    input: { collection: COLLECTION, documents, idempotencyKey: `demo-${Date.now()}` },
  });

  const bar = new SingleBar(
    { format: '{bar} {percentage}% {message}', hideCursor: true, clearOnComplete: false, noTTYOutput: false },
    Presets.shades_classic,
  );
  bar.start(100, 0, { message: '' });
  const events = client.subscribe(IngestionProgressDocument, { runId: ingestDocuments.run.id });
  for await (const { ingestionProgress: event } of events) {
    bar.update(Math.round(event.progress * 100), { message: event.message });
    if (event.status === 'FAILED') throw new Error(event.error?.message ?? 'ingestion failed');
  }
  bar.stop();
  const { collection } = await client.request(CollectionDocument, { name: COLLECTION });
  line(
    `${green('✓')} ${collection?.documentCount} documents, ${collection?.chunkCount} chunks (Markdown, text, HTML, PDF, DOCX)`,
  );
}

async function ask(client: GraftClient, question: string): Promise<void> {
  const { ask: answer } = await client.request(AskDocument, { input: { question, collections: [COLLECTION] } });
  line();
  line(bold(`? ${question}`));
  line(wrap(answer.text, '  '));
  printProof(answer);
}

async function askStreaming(client: GraftClient, question: string): Promise<void> {
  line();
  line(bold(`? ${question}`));
  process.stdout.write('  ');
  const events = client.subscribe(AskStreamDocument, { input: { question, collections: [COLLECTION] } });
  for await (const { askStream: event } of events) {
    if (event.__typename === 'TextDelta') process.stdout.write(event.text);
    else if (event.__typename === 'TextReplaced')
      process.stdout.write(`\n  ${dim('(replaced by its evidence)')} ${event.text}`);
    else if (event.__typename === 'AnswerReady') {
      line();
      printProof(event.answer);
    }
  }
}

function printProof(answer: Omit<Told, 'output' | 'adapter'>): void {
  if (answer.abstention) line(`  ${yellow(`abstained, ${answer.abstention.reason}:`)} ${answer.abstention.sentence}`);
  for (const { quote, documentName, headings, page, start, end } of answer.citations.slice(0, 2)) {
    const place = [documentName, ...(page ? [`page ${page}`] : []), ...headings, `characters ${start}–${end}`].join(
      ' › ',
    );
    line(dim(wrap(`“${quote}”`, '    ')));
    line(dim(`      ${place}`));
  }
  const { route, model, usage, stages } = answer;
  line(
    dim(`    route: ${route.strategy}, chosen by ${route.chosenBy}: ${route.reasons.map((r) => r.sentence).join(' ')}`),
  );
  line(
    dim(
      `    model: ${model.model.name} ${model.quantization}, ${usage.promptTokens} tokens read, ${usage.generatedTokens} written`,
    ),
  );
  line(dim(`    time:  ${stages.map(({ name, ms }) => `${name} ${Math.round(ms)} ms`).join(', ')}`));
}
