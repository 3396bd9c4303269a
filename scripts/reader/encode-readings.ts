import { LabelWords, renderExample, type TaskContext } from '../../src/sources/data/index.js';
import { renderChat } from '../../src/sources/prompting/index.js';
import type { Tokenize } from '../../src/learn/training/index.js';
import type { ModelFile, TrainingExample } from '../../src/worker-protocol/index.js';
import { chatOf } from './chat-of.js';
import type { Reading } from './reading-examples.js';

const CONTEXT: TaskContext = { labels: new LabelWords([]), languages: null };

/** The readings as the model will be asked when it serves: a group each, whose passages it reads once. */
export async function encodeReadings(
  readings: readonly Reading[],
  { path }: ModelFile,
  tokenize: Tokenize,
): Promise<TrainingExample[]> {
  const chat = chatOf(path);
  const rendered = readings.flatMap(({ passages, questions }, group) =>
    questions.map(({ question, answer }) => {
      const row = { task: 'QUESTION_ANSWERING', question, answer } as const;
      const example = renderExample(row, CONTEXT, { facts: '', passages });
      return { ...example, group, prompt: renderChat(chat, example.messages) };
    }),
  );
  const { tokens, endToken } = await tokenize([
    ...rendered.map(({ prompt }) => prompt),
    ...rendered.map(({ answer }) => answer),
  ]);
  return rendered.map(({ group }, row) => {
    const prompt = tokens[row]!;
    const answer = tokens[rendered.length + row]!;
    return { ids: Int32Array.from([...prompt, ...answer, endToken]), answerFrom: prompt.length, group };
  });
}
