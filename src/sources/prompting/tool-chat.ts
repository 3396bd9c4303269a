import { GraftError } from '../../kernel/errors.js';
import {
  composed,
  templateJson,
  writtenFunctions,
  type ChatFunction,
  type PromptSegment,
  type TemplatePiece,
  type ToolForm,
} from '../../worker-protocol/index.js';
import { noFormFor, withoutSystem } from './chat.js';
import { writeDates } from './dates.js';
import { joinSegments, type ChatMessage, type StepMessage, type ToolCall } from './segments.js';

/**
 * The same where functions are shown, and calls of them may stand between the messages. What functions, calls and results hold is text of
 * whoever asks.
 * @throws MODEL_UNSUPPORTED for a conversation that the template has no form for
 */
export function renderToolChat(
  form: ToolForm,
  messages: readonly (ChatMessage | StepMessage)[],
  functions: readonly ChatFunction[],
  now = new Date(),
): PromptSegment[] {
  const conversation = form.begin['s'] === undefined ? (withoutSystem(messages) ?? messages) : messages;
  const pieces = composed(form, conversation.map(letterOf).join(''));
  if (!pieces) throw new GraftError('MODEL_UNSUPPORTED', `The model’s chat template has ${noFormFor(conversation)}.`);
  const list = writtenFunctions(form.list, functions);
  return joinSegments(
    pieces.flatMap((piece, index) => {
      const message = conversation[index];
      return [...segmentsOf(piece, list, now), ...(message ? contentOf(message, form) : [])];
    }),
  );
}

const letterOf = (message: ChatMessage | StepMessage): string => (callsOf(message) ? 'c' : message.role[0]!);

const callsOf = (message: ChatMessage | StepMessage): readonly ToolCall[] | null =>
  'calls' in message && message.calls.length > 0 ? message.calls : null;

const segmentsOf = (piece: TemplatePiece, list: string, now: Date): PromptSegment[] =>
  piece.map((part) =>
    typeof part === 'object' && 'tools' in part
      ? { text: list, special: false }
      : { text: writeDates([part], now), special: true },
  );

function contentOf(message: ChatMessage | StepMessage, { call, behindText }: ToolForm): PromptSegment[] {
  const content = { text: message.content.trim(), special: false };
  const calls = callsOf(message);
  if (!calls) return [content];
  const words = content.text === '' || behindText === null ? [] : [content, { text: behindText, special: true }];
  return [
    ...words,
    ...calls.flatMap(({ name, arguments: args }, index) => [
      { text: (index === 0 ? '' : (call.between ?? '\n')) + call.open, special: true },
      { text: name, special: false },
      { text: call.middle, special: true },
      { text: rewritten(args), special: false },
      { text: call.close, special: true },
    ]),
  ];
}

/** As the template would write them; what is no JSON stays as it is. */
function rewritten(args: string): string {
  try {
    return templateJson(JSON.parse(args));
  } catch {
    return args;
  }
}
