import { confidenceOf, type Answer, type AskEvent } from '../ask/index.js';
import { toGlobalId } from '../graphql-kit/index.js';

/** A place in a document that the text rests on, as Chat's only kind of annotation has it. */
export interface UrlCitation {
  type: 'url_citation';
  url_citation: { url: string; title: string; start_index: number; end_index: number };
}

/** Text with a mark behind it for each citation, and where the marks stand: UTF-16 offsets into `content`. */
export interface Content {
  content: string;
  annotations: UrlCitation[];
}

/** @param origin of the console, e.g. `http://127.0.0.1:4000` */
export function contentOf({ text, citations }: Answer, origin: string): Content {
  let content = text;
  const annotations = citations.map((citation, index): UrlCitation => {
    const mark = `${index === 0 && text !== '' ? ' ' : ''}[${index + 1}]`;
    const start = content.length + mark.indexOf('[');
    content += mark;
    const url = passageUrl(citation, origin);
    return {
      type: 'url_citation',
      url_citation: { url, title: citation.documentName, start_index: start, end_index: content.length },
    };
  });
  return { content, annotations };
}

/** The passage in the console, marked in its document. */
function passageUrl(citation: Answer['citations'][number], origin: string): string {
  const { collectionName, documentId, documentName: name, start, end } = citation;
  const document = toGlobalId('Document', documentId);
  const place = new URLSearchParams({ document, name, start: `${start}`, end: `${end}` });
  return `${origin}/knowledge/${encodeURIComponent(collectionName)}?${place.toString()}`;
}

/** What an answer says beyond what Chat has words for. */
export const graftOf = (answer: Answer) => ({
  /** What was asked in the end: a follow-up is put together with what it follows. */
  question: answer.askedAs ?? answer.question,
  strategy: answer.route.strategy,
  chosenBy: answer.route.chosenBy,
  reasons: answer.route.reasons.map(({ sentence }) => sentence),
  confidence: confidenceOf(answer),
  abstained: answer.abstention !== null,
  abstention: answer.abstention && { reason: answer.abstention.reason, sentence: answer.abstention.sentence },
  adapter: answer.adapter && {
    name: answer.adapter.name,
    version: answer.adapter.version,
    digest: answer.adapter.sha256,
  },
  quotes: answer.citations.map(({ quote, documentName, start, end }) => ({
    quote,
    document: documentName,
    start,
    end,
  })),
});

const usageOf = ({ usage }: Answer) => ({
  prompt_tokens: usage.promptTokens,
  completion_tokens: usage.generatedTokens,
  total_tokens: usage.promptTokens + usage.generatedTokens,
  prompt_tokens_details: { cached_tokens: usage.reusedTokens },
});

const finishOf = ({ finishReason }: Answer): 'stop' | 'length' => (finishReason === 'LENGTH' ? 'length' : 'stop');

const secondsOf = (date: Date): number => Math.floor(date.getTime() / 1_000);

/** Of the answer's row: `node(id)` in GraphQL has it. */
const idOf = ({ id }: Answer): string => toGlobalId('Answer', id);

/** How a request is told in its answer. */
export interface Told {
  model: string;
  origin: string;
}

/** The body of a completion that isn't streamed. */
export function completionOf(answer: Answer, { model, origin }: Told) {
  const { content, annotations } = contentOf(answer, origin);
  return {
    id: idOf(answer),
    object: 'chat.completion' as const,
    created: secondsOf(answer.createdAt),
    model,
    system_fingerprint: answer.configuration.digest,
    choices: [
      {
        index: 0,
        message: { role: 'assistant' as const, content, refusal: null, annotations },
        logprobs: null,
        finish_reason: finishOf(answer),
      },
    ],
    usage: usageOf(answer),
    graft: graftOf(answer),
  };
}

/**
 * The chunks of a streamed completion. Chat has no word for taking text back, so what may still be replaced by its evidence is held until it
 * can't: answers that read come whole, all others as they are written.
 * @throws what `events` throw
 */
export async function* chunksOf(
  events: AsyncIterable<AskEvent>,
  {
    model,
    origin,
    includeUsage,
    reads,
    now,
  }: Told & {
    includeUsage: boolean;
    /** Whether a strategy reads, and its text may therefore be replaced. */
    reads: (strategy: Answer['route']['strategy']) => boolean;
    now: Date;
  },
): AsyncGenerator<object> {
  const base = { object: 'chat.completion.chunk' as const, model, created: secondsOf(now) };
  const usage = includeUsage ? { usage: null } : {};
  let id = '';
  let sent = '';
  let holds = true;
  const chunk = (delta: object, finish: string | null = null, more: object = {}) => ({
    ...{ id, ...base, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] },
    ...usage,
    ...more,
  });
  for await (const event of events) {
    if (event.type === 'route') {
      id = toGlobalId('Answer', event.answerId);
      holds = reads(event.route.strategy);
      yield chunk({ role: 'assistant', content: '', refusal: null });
    }
    if (event.type === 'delta' && !holds) {
      sent += event.text;
      yield chunk({ content: event.text });
    }
    if (event.type !== 'answer') continue;
    const { answer } = event;
    id = idOf(answer);
    const { content, annotations } = contentOf(answer, origin);
    const rest = content.startsWith(sent) ? content.slice(sent.length) : content;
    if (rest !== '' || annotations.length > 0)
      yield chunk({ content: rest, ...(annotations.length > 0 && { annotations }) });
    yield chunk({}, finishOf(answer), {
      system_fingerprint: answer.configuration.digest,
      graft: graftOf(answer),
    });
    if (includeUsage) yield { ...{ id, ...base, choices: [] }, usage: usageOf(answer) };
  }
}
