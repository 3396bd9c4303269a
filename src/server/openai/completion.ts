import { basisOf, confidenceOf, type Answer, type AnswerEvent, type AskEvent } from '../../answer/ask/index.js';
import { toGlobalId } from '../../kit/graphql/index.js';
import type { WrittenToken } from '../../worker-protocol/index.js';
import type { ChatRequest, ModelOption } from './chat-request.js';
import { secondsOf } from './http.js';

/** A place in a document that the text rests on, as Chat's only kind of annotation has it. */
interface UrlCitation {
  type: 'url_citation';
  url_citation: { url: string; title: string; start_index: number; end_index: number };
}

/** Text with a mark behind it for each citation, and where the marks stand: UTF-16 offsets into `content`. */
interface Content {
  content: string;
  annotations: UrlCitation[];
}

/**
 * The text with its marks; JSON has none, and each citation is one of the whole.
 * @param origin of the console, e.g. `http://127.0.0.1:4000`
 */
function contentOf({ text, citations, askedWith, output }: Answer, origin: string): Content {
  let content = output.kind === 'CALLS' ? output.said : text;
  const annotations = citations.map((citation, index): UrlCitation => {
    const { documentName: title } = citation;
    const url = passageUrl(citation, origin);
    if (askedWith?.form)
      return { type: 'url_citation', url_citation: { url, title, start_index: 0, end_index: text.length } };
    const mark = `${index === 0 && text !== '' ? ' ' : ''}[${index + 1}]`;
    const start = content.length + mark.indexOf('[');
    content += mark;
    return { type: 'url_citation', url_citation: { url, title, start_index: start, end_index: content.length } };
  });
  return { content, annotations };
}

/** Why there is no answer, where JSON was asked for, which that sentence isn't; null else. */
export const refusalOf = ({ abstention, askedWith }: Answer): string | null =>
  abstention && askedWith?.form ? abstention.sentence : null;

/** The passage in the console, marked in its document. */
function passageUrl(citation: Answer['citations'][number], origin: string): string {
  const { collectionName, documentId, documentName: name, start, end } = citation;
  const document = toGlobalId('Document', documentId);
  const place = new URLSearchParams({ document, name, start: `${start}`, end: `${end}` });
  return `${origin}/knowledge/${encodeURIComponent(collectionName)}?${place.toString()}`;
}

/** What an answer says beyond what Chat has words for. */
export const graftOf = ({ answer, tokens }: AnswerEvent, request: Pick<ChatRequest, 'options' | 'ignored'>) => ({
  /** What was asked in the end: a follow-up is put together with what it follows. */
  question: answer.askedAs ?? answer.question,
  strategy: answer.route.strategy,
  chosenBy: answer.route.chosenBy,
  reasons: answer.route.reasons.map(({ sentence }) => sentence),
  /** `BASE_MODEL`: its own words, for which there is no evidence. */
  basis: basisOf(answer),
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
  /** Names of what the request sent and had no effect on the text. */
  ignored: [...request.ignored, ...request.options.filter((name) => !actedOn(answer, tokens, name))],
});

/** Whether an option had an effect: those that bound a model act wherever it wrote the text, all others where it wrote freely. */
function actedOn({ wording, finishReason, guided, askedWith }: Answer, tokens: Tokens, option: ModelOption): boolean {
  switch (option) {
    case 'max_tokens':
    case 'max_completion_tokens':
    case 'temperature':
    case 'seed':
      return wording === 'MODEL' && finishReason !== null;
    case 'logprobs':
    case 'top_logprobs':
      return tokens !== undefined;
    case 'stop':
      return guided === true && !askedWith?.form;
    default:
      return guided === true;
  }
}

/** Of all choices together. */
function usageOf(answers: readonly Answer[]) {
  const sum = (field: keyof Answer['usage']) => answers.reduce((total, { usage }) => total + usage[field], 0);
  const [prompt, completion] = [sum('promptTokens'), sum('generatedTokens')];
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: sum('reusedTokens') },
  };
}

export function finishOf({ finishReason, output }: Answer): 'stop' | 'length' | 'tool_calls' {
  if (finishReason === 'LENGTH') return 'length';
  return output.kind === 'CALLS' ? 'tool_calls' : 'stop';
}

/** The calls of an answer; null where it has none. */
const toolCallsOf = ({ id, output }: Answer) =>
  output.kind !== 'CALLS'
    ? null
    : output.calls.map(({ name, arguments: args }, index) => ({
        id: `call_${id.replaceAll('-', '')}_${index}`,
        type: 'function' as const,
        function: { name, arguments: args },
      }));

/** Of the answer's row: `node(id)` in GraphQL has it. */
const idOf = ({ id }: Answer): string => toGlobalId('Answer', id);

/** What a completion tells of its request, and the origin of its links into the console. */
export interface CompletionContext {
  request: Pick<ChatRequest, 'model' | 'options' | 'ignored'>;
  origin: string;
}

type Tokens = readonly WrittenToken[] | undefined;

/** null where none were asked for, and where the text is no model's: a quote, a label, a refusal. */
const logprobsOf = (tokens: Tokens) => (tokens === undefined ? null : { content: tokensOf(tokens), refusal: null });

export const tokensOf = (tokens: readonly WrittenToken[]) =>
  tokens.map(({ top, ...token }) => ({ ...logprobOf(token), top_logprobs: top.map(logprobOf) }));

/** `token` has a replacement character where a token is a part of a character; `bytes` are its own. */
function logprobOf({ bytes, logProbability }: Omit<WrittenToken, 'top'>) {
  const buffer = Buffer.from(bytes, 'latin1');
  return { token: buffer.toString('utf8'), logprob: logProbability, bytes: [...buffer] };
}

/**
 * The body of a completion that isn't streamed; it has the id of the first choice.
 * @param choices at least one
 */
export function completionOf(choices: readonly AnswerEvent[], { request, origin }: CompletionContext) {
  const { answer } = choices[0]!;
  return {
    id: idOf(answer),
    object: 'chat.completion' as const,
    created: secondsOf(answer.createdAt),
    model: request.model,
    system_fingerprint: answer.configuration.digest,
    choices: choices.map((choice, index) => ({
      index,
      ...choiceOf(choice, origin),
      ...(choices.length > 1 && { graft: choiceGraftOf(choice, request) }),
    })),
    usage: usageOf(choices.map((choice) => choice.answer)),
    graft: graftOf(choices[0]!, request),
  };
}

function choiceOf({ answer, tokens }: AnswerEvent, origin: string) {
  const refusal = refusalOf(answer);
  const { content, annotations } = contentOf(answer, origin);
  const calls = toolCallsOf(answer);
  const isSilent = refusal !== null || (calls !== null && content === '');
  return {
    message: {
      role: 'assistant' as const,
      content: isSilent ? null : content,
      refusal,
      annotations,
      ...(calls && { tool_calls: calls }),
    },
    logprobs: logprobsOf(tokens),
    finish_reason: finishOf(answer),
  };
}

/** Of several choices each tells its own, and the id of its answer. */
const choiceGraftOf: (...of: Parameters<typeof graftOf>) => ReturnType<typeof graftOf> & { id?: string } = (
  event,
  request,
) => ({
  id: idOf(event.answer),
  ...graftOf(event, request),
});

/** What has yet to be sent of a text: nothing where more was sent than stands (a loop that was cut off); all of it, on a line of its own, where other words were. */
export function restOf(content: string, prefix: string): string {
  if (content.startsWith(prefix)) return content.slice(prefix.length);
  return prefix.startsWith(content) ? '' : `\n${content}`;
}

/**
 * The chunks of a streamed completion, one choice after another. Chat has no word for taking text back, so what is likely to be replaced is held
 * until it can't be: answers that read, or that an adapter gives in its task's form, come whole, all others as they are written. Where those are
 * replaced after all (a loop, no answer), the text that stands is `text` in `graft`, too. Log-probabilities come behind the text, in one chunk.
 * @param choices nothing is asked of one before its turn
 * @throws what they throw
 */
export async function* chunksOf(
  choices: readonly AsyncIterable<AskEvent>[],
  context: ChunkContext,
): AsyncGenerator<object> {
  const { request, includeUsage, now } = context;
  const head = { id: '', object: 'chat.completion.chunk', model: request.model, created: secondsOf(now) };
  const answers: Answer[] = [];
  for (const [index, events] of choices.entries()) {
    const place = { head, index, graftOf: choices.length > 1 ? choiceGraftOf : graftOf };
    answers.push(...(yield* choiceChunks(events, place, context)));
  }
  if (includeUsage) yield { ...head, choices: [], usage: usageOf(answers) };
}

type ChunkContext = CompletionContext & {
  includeUsage: boolean;
  /** Whether the text is held until it can't be replaced any more. */
  comesWhole: (strategy: Answer['route']['strategy']) => boolean;
  now: Date;
};

/** @returns the answer, where there is one */
async function* choiceChunks(
  events: AsyncIterable<AskEvent>,
  { head, index, graftOf }: { head: { id: string }; index: number; graftOf: typeof choiceGraftOf },
  { request, origin, includeUsage, comesWhole }: ChunkContext,
): AsyncGenerator<object, Answer[]> {
  const usage = includeUsage ? { usage: null } : {};
  const answers: Answer[] = [];
  let sentText = '';
  let holds = true;
  const chunk = (delta: object, finish: string | null = null, fields: object = {}, logprobs: object | null = null) => ({
    ...head,
    choices: [{ index, delta, logprobs, finish_reason: finish }],
    ...usage,
    ...fields,
  });
  for await (const event of events) {
    if (event.type === 'route') {
      // All chunks have the id of the first choice.
      head.id ||= toGlobalId('Answer', event.answerId);
      holds = comesWhole(event.route.strategy);
      yield chunk({ role: 'assistant', content: '', refusal: null });
    }
    if (event.type === 'delta' && !holds) {
      sentText += event.text;
      yield chunk({ content: event.text });
    }
    if (event.type !== 'answer') continue;
    const { answer, tokens } = event;
    answers.push(answer);
    const refusal = refusalOf(answer);
    const { content, annotations } = contentOf(answer, origin);
    const rest = restOf(content, sentText);
    if (refusal !== null) yield chunk({ refusal });
    else if (rest !== '' || annotations.length > 0)
      yield chunk({ content: rest, ...(annotations.length > 0 && { annotations }) });
    const calls = toolCallsOf(answer);
    if (calls) yield chunk({ tool_calls: calls.map((call, place) => ({ index: place, ...call })) });
    if (tokens) yield chunk({ content: '' }, null, {}, logprobsOf(tokens));
    yield chunk({}, finishOf(answer), {
      system_fingerprint: answer.configuration.digest,
      graft: { ...graftOf(event, request), ...(!content.startsWith(sentText) && { text: content }) },
    });
  }
  return answers;
}
