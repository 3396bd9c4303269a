/**
 * Follow-ups of conversations (`bench/conversations`, written for Graft over the example handbook): how often one of the five best passages
 * holds the answer, for the question that stands for itself as a person would ask it, for the follow-up as `ask` answers it in a conversation,
 * for everything that was said in one text, and for the follow-up alone.
 *
 * Published: recall@1 and @5 of each, and the share that recall@5 is of the standalone question's.
 *
 *   npm run bench -- follow-ups
 */
import { readFileSync } from 'node:fs';
import { standaloneQuestion } from '../src/answer/ask/index.js';
import { startAnswering } from './support/answering.js';
import { ingestHandbook } from './support/handbook.js';
import { describeMachine, printResult } from './support/report.js';

interface Conversation {
  earlier: string[];
  followUp: string;
  /** The same question as somebody would ask it who had said nothing before. */
  standalone: string;
  document: string;
  /** Stands word for word in the passage that holds the answer. */
  answer: string;
}

const PASSAGES = 5;

const conversations = readFileSync('bench/conversations/handbook.jsonl', 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line) as Conversation);

/** What is searched for. */
const ASKED: Record<string, (conversation: Conversation) => string> = {
  'asked to stand for itself': ({ standalone }) => standalone,
  'follow-up as Graft answers it': ({ earlier, followUp }) => standaloneQuestion(followUp, earlier).text,
  'everything said, concatenated': ({ earlier, followUp }) => [...earlier, followUp].join(' '),
  'follow-up alone': ({ followUp }) => followUp,
};

const answering = await startAnswering();
try {
  await ingestHandbook(answering);
  const { retriever } = answering.parts;
  const scope = await retriever.scope(answering.workspaceId, ['handbook']);
  const oneLine = (text: string): string => text.replace(/\s+/g, ' ');
  const rankOf = async (query: string, { document, answer }: Conversation): Promise<number> => {
    const { passages } = await retriever.retrieve({ scope, query, mode: 'HYBRID', limit: PASSAGES });
    const at = passages.findIndex(
      ({ documentName, text }) => documentName === document && oneLine(text).includes(answer),
    );
    return at < 0 ? Infinity : at + 1;
  };
  const ranks: Record<string, number[]> = {};
  for (const [name, askedAs] of Object.entries(ASKED)) {
    ranks[name] = [];
    for (const conversation of conversations) {
      const rank = await rankOf(askedAs(conversation), conversation);
      ranks[name].push(rank);
      if (process.argv.includes('--list') && rank > PASSAGES) console.log(name, '|', askedAs(conversation));
    }
  }
  const recall = (name: string, most: number): number =>
    ranks[name]!.filter((rank) => rank <= most).length / conversations.length;
  const [whole] = Object.keys(ASKED);
  const rows = Object.keys(ASKED).map((asked) => ({
    asked,
    'recall@1': recall(asked, 1).toFixed(2),
    'recall@5': recall(asked, PASSAGES).toFixed(2),
    'of the standalone question’s @5': (recall(asked, PASSAGES) / recall(whole!, PASSAGES)).toFixed(2),
  }));
  const left = conversations.filter(({ earlier, followUp }) => standaloneQuestion(followUp, earlier).joined === 0);
  printResult('follow-ups', {
    machine: describeMachine(),
    rows,
    conversations: conversations.length,
    takenForStandalone: left.length,
  });
} finally {
  await answering.stop();
}
