import {
  composed,
  toolForm,
  templateJson,
  writtenCall,
  writtenFunctions,
  type CallForm,
  type ChatFunction,
  type TemplatePiece,
  type ToolForm,
} from '../../src/worker-protocol/index.js';
import { ANY_DAY, attempt, type ChatTemplate, type TemplateMessage } from './template.js';

/** Conversations with calls, and what they gave, that are rendered and compared. */
const SPOKEN = ['u', 'uau', 'uct', 'uctt', 'uctct', 'uctau', 'uctauct', 'uctauau', 'ucttauctau', 'uauct', 'uauau'];

/** What a function gave, or a user said, that a template might take for something else. */
const ODD_CONTENTS = [
  '{"name": "other", "arguments": {}}',
  '<tool_call>\n{}\n</tool_call>',
  '漢字 🎉 \\n " <|im_end|>',
  '[]',
];

/** Enough of a piece to know it again. */
const KNOWN_BY = 8;

/**
 * How a template shows functions, writes calls and what these gave, as data: it is rendered with placeholders, cut at them, and held against
 * renderings of longer conversations and of odd contents.
 * @throws Error where it knows no functions, or writes one of these in a way that pieces and JSON don't give
 */
export function readTools(program: ChatTemplate): ToolForm {
  const reader = new ToolReader(program);
  const list = reader.list();
  const { call, behindText } = reader.calls();
  if (JSON.stringify(call).includes(program.mark('i').slice(0, 1))) throw new Error('it writes the ids of calls');
  const form: ToolForm = { begin: {}, between: {}, end: {}, list, call, behindText };
  reader.learn(form);
  reader.requireSame(form);
  return toolForm.parse(form);
}

class ToolReader {
  readonly #functions: readonly ChatFunction[];

  constructor(private readonly program: ChatTemplate) {
    this.#functions = [0, 1].map((index) => functionOf(this.program.mark(`f${index}`), this.program.mark(`d${index}`)));
  }

  /** How the functions stand in the text. */
  list(): ToolForm['list'] {
    const [first, second] = this.#functions;
    const question = [this.#user(0)];
    const text = this.#render(question, [first!]);
    for (const isWhole of [true, false])
      for (const indent of [null, 4, 2]) {
        const json = (definition: ChatFunction) => templateJson(isWhole ? definition : definition.function, indent);
        if (!text.includes(json(first!))) continue;
        return { isWhole, indent, between: textBetween(this.#render(question), json(first!), json(second!)) };
      }
    throw new Error('it does not show functions as JSON');
  }

  /** How calls stand in it, found from where what the assistant says begins and ends. */
  calls(): Pick<ToolForm, 'call' | 'behindText'> {
    const [question, words, next] = [this.#user(0), this.#assistant(1), this.#user(2)];
    const plainText = this.#render([question, words, next]);
    const beginning = textBetween(plainText, question.content, words.content);
    const ending = textBetween(plainText, words.content, next.content);
    const { names, args } = this.#marksOfCalls();
    const textOfCalls = (count: number, content = ''): string =>
      this.#render([question, { ...this.#call(count), content }, ...this.#results(count)]);
    const text = textOfCalls(1);
    const open = endingWithout(beginning, textBetween(text, question.content, names[0]!));
    const middle = textBetween(text, names[0]!, args[0]!);
    const rest = textBetween(text, args[0]!, this.#results(1)[0]!.content);
    const end = rest.indexOf(ending.slice(0, KNOWN_BY));
    if (end < 0) throw new Error('it does not end calls as it ends words');
    const close = rest.slice(0, end);
    const gap = attempt(() =>
      beginningWithout(open, endingWithout(close, textBetween(textOfCalls(2), args[0]!, names[1]!))),
    );
    const behindText = attempt(() =>
      beginningWithout(open, textBetween(textOfCalls(1, words.content), words.content, names[0]!)),
    );
    return {
      call: { open, middle, close, between: gap instanceof Error ? null : gap },
      behindText: behindText instanceof Error ? null : behindText,
    };
  }

  /** What stands between neighbours, the same wherever they stand. @throws Error where it isn't */
  learn(form: ToolForm): void {
    const cuts = ['', 's'].flatMap((prefix) => {
      const words = SPOKEN.map((word) => prefix + word);
      const pieces = words.map((word) => attempt(() => this.#cut(word, form)));
      // A template that refuses system messages gets them as the first lines of the user's.
      return prefix === 's' && pieces.every((cut) => cut instanceof Error)
        ? []
        : words.map((word, i) => ({ word, cut: pieces[i]! }));
    });
    for (const { word, cut } of cuts) {
      if (cut instanceof Error) throw cut;
      form.begin[word[0]!] ??= cut[0]!;
      form.end[word.at(-1)!] ??= cut.at(-1)!;
      cut.slice(1, -1).forEach((piece, index) => (form.between[word.slice(index, index + 2)] ??= piece));
    }
    for (const { word, cut } of cuts) {
      if (JSON.stringify(cut) !== JSON.stringify(composed(form, word)))
        throw new Error(`it writes ${word} in another way`);
      if ((cut as TemplatePiece[]).flat().filter((part) => typeof part !== 'string' && 'tools' in part).length !== 1)
        throw new Error('it does not show the functions once');
    }
  }

  /** @throws Error where what it writes depends on contents */
  requireSame(form: ToolForm): void {
    const functionList = writtenFunctions(form.list, this.#functions);
    for (const odd of ODD_CONTENTS)
      for (const word of ['uct', 'uctau']) {
        const messages = this.#messages(word).map((message) =>
          message.tool_calls ? message : { ...message, content: odd },
        );
        const pieces = composed(form, word)!.map((piece) =>
          piece.map((part) => (typeof part === 'string' ? part : 'tools' in part ? functionList : ANY_DAY)).join(''),
        );
        const expected = pieces.map((piece, index) => {
          const message = messages[index];
          return piece + (message?.tool_calls ? this.#written(form.call) : (message?.content ?? ''));
        });
        if (this.#render(messages) !== expected.join('')) throw new Error('what it writes depends on the message');
      }
  }

  #cut(word: string, { list, call }: Pick<ToolForm, 'list' | 'call'>) {
    const messages = this.#messages(word);
    const contents = messages.map((message) => (message.tool_calls ? this.#written(call) : message.content));
    const tools = { list: this.#functions, written: writtenFunctions(list, this.#functions) };
    return this.program.cutAround(messages, contents, tools);
  }

  #written(call: CallForm): string {
    const { names, args } = this.#marksOfCalls();
    return writtenCall(call, names[0]!, args[0]!);
  }

  #messages = (word: string): TemplateMessage[] =>
    [...word].map((letter, index): TemplateMessage => {
      if (letter === 'c') return this.#call(1);
      if (letter === 't') return { ...this.#results(1)[0]!, content: this.program.mark(index) };
      return letter === 'a'
        ? this.#assistant(index)
        : { role: letter === 's' ? 'system' : 'user', content: this.program.mark(index) };
    });

  #user = (index: number): TemplateMessage => ({ role: 'user', content: this.program.mark(index) });
  #assistant = (index: number): TemplateMessage => ({ role: 'assistant', content: this.program.mark(index) });

  #marksOfCalls() {
    const names = [0, 1].map((index) => this.program.mark(`n${index}`));
    const values = [0, 1].map((index) => ({ x: this.program.mark(`v${index}`), y: [1, { z: true }] }));
    return { names, values, args: values.map((value) => templateJson(value)) };
  }

  #call(count: number): TemplateMessage {
    const { names, values } = this.#marksOfCalls();
    const calls = names.slice(0, count).map((name, index) => ({
      id: this.program.mark(`i${index}`),
      type: 'function' as const,
      function: { name, arguments: values[index]! },
    }));
    return { role: 'assistant', content: '', tool_calls: calls };
  }

  #results = (count: number): TemplateMessage[] =>
    Array.from({ length: count }, (_, index) => ({
      role: 'tool',
      tool_call_id: this.program.mark(`i${index}`),
      content: this.program.mark(`r${index}`),
    }));

  #render = (messages: readonly TemplateMessage[], functions = this.#functions): string =>
    this.program.render(messages, () => ANY_DAY, functions);
}

const functionOf = (name: string, description: string): ChatFunction => ({
  type: 'function',
  function: {
    name,
    description,
    parameters: { type: 'object', properties: { x: { type: 'string', enum: ['é', '"'] } }, required: ['x'] },
  },
});

/** @throws Error unless both stand in the text, in this order */
function textBetween(text: string, first: string, second: string): string {
  const start = text.indexOf(first) + first.length;
  const end = text.indexOf(second, start);
  if (start < first.length || end < 0) throw new Error('it does not show what it is given, in order');
  return text.slice(start, end);
}

/** What the text ends with. @throws Error unless it begins so */
function endingWithout(beginning: string, text: string): string {
  if (!text.startsWith(beginning)) throw new Error('it writes calls in another place than words');
  return text.slice(beginning.length);
}

/** What the text begins with. @throws Error unless it ends so */
function beginningWithout(ending: string, text: string): string {
  if (!text.endsWith(ending)) throw new Error('it writes another call in another way');
  return text.slice(0, text.length - ending.length);
}
