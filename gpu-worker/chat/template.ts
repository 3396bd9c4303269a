import * as jinja from '@huggingface/jinja';
import type { ChatFunction, TemplatePiece } from '../../src/worker-protocol/index.js';

export interface ChatTokens {
  bosToken: string;
  eosToken: string;
}

export interface ChatTurn {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** A message as templates take it, with what stands in place of its content; `calls` are those of functions. */
export interface TemplateMessage {
  role: ChatTurn['role'] | 'tool';
  content: string;
  tool_call_id?: string;
  tool_calls?: { id: string; type: 'function'; function: { name: string; arguments: object } }[];
}

/** What is used of the package: its own declarations of these lead nowhere under Node's resolution. */
interface Variables {
  set(name: string, value: unknown): void;
}
const { Environment, Interpreter, Template } = jinja as unknown as {
  Template: new (text: string) => { parsed: object };
  Environment: new () => Variables;
  Interpreter: new (variables: Variables) => { run(program: object): { value: unknown } };
};

/** Longest list that `range` makes. */
const MOST_NUMBERS = 10_000;

/**
 * A Jinja template of a model's file: a program of whoever wrote the file. It is parsed and run in a throw-away process alone, whose time
 * and memory are bounded from outside.
 */
export class ChatTemplate {
  private readonly program: object;
  /** Stand around what stands for a content, and for a date. */
  private readonly marks: { content: string; date: string };

  /** @throws Error when it can't be parsed */
  constructor(
    text: string,
    private readonly tokens: ChatTokens,
  ) {
    this.program = new Template(text).parsed;
    const [content, date] = unusedMarks(text + tokens.bosToken + tokens.eosToken);
    this.marks = { content, date };
  }

  /**
   * @param today what the template gets for the date, in whatever form it asks for it
   * @throws Error when the template refuses the conversation, or fails
   */
  render(
    messages: readonly TemplateMessage[],
    today: (form: string) => string,
    tools: readonly ChatFunction[] | null = null,
  ): string {
    const { bosToken, eosToken } = this.tokens;
    const globals: Record<string, unknown> = {
      false: false,
      true: true,
      none: null,
      False: false,
      True: true,
      None: null,
      raise_exception: (reason: unknown) => {
        throw new Error(String(reason));
      },
      range,
      strftime_now: today,
      messages,
      add_generation_prompt: true,
      bos_token: bosToken,
      eos_token: eosToken,
      tools,
      // Models that can think aloud (Qwen3) are asked for the answer alone.
      enable_thinking: false,
    };
    const environment = new Environment();
    for (const [name, value] of Object.entries(globals)) environment.set(name, value);
    const { value } = new Interpreter(environment).run(this.program);
    return String(value);
  }

  /** A text that the template has nothing of, for a place of this name. */
  mark(name: string | number): string {
    return `${this.marks.content}${name}${this.marks.content}`;
  }

  /**
   * What the template writes around contents, which it never sees: a placeholder stands for each, and what it wrote is cut there. The date
   * is cut out as well, so that it is the one of the day on which the model is asked.
   * @returns one piece more than there are messages
   * @throws Error when it fails, or doesn't show every content once and in order
   */
  cut(roles: readonly ChatTurn['role'][]): TemplatePiece[] {
    return this.cutAround(roles.map((role, index) => ({ role, content: this.mark(index) })));
  }

  /**
   * The same of any messages.
   * @param contents what stands for each in what the template writes
   * @param tools the functions that are shown, and what stands for them
   * @throws Error as `cut` does
   */
  cutAround(
    messages: readonly TemplateMessage[],
    contents: readonly string[] = messages.map(({ content }) => content),
    tools: { list: readonly ChatFunction[]; written: string } | null = null,
  ): TemplatePiece[] {
    const { content: mark, date } = this.marks;
    let rest = this.render(messages, (form) => `${date}${form}${date}`, tools?.list);
    const pieces = contents.map((content, index) => {
      const start = rest.indexOf(content);
      if (start < 0) throw new Error(`it does not show the ${messages[index]!.role} message once, in order`);
      const piece = rest.slice(0, start);
      rest = rest.slice(start + content.length);
      return piece;
    });
    return [...pieces, rest].map((piece) => {
      if (/\0|\p{Surrogate}/u.test(piece)) throw new Error('it writes what is no text');
      const texts = tools === null ? [piece] : piece.split(tools.written);
      if (texts.some((text) => text.includes(mark))) throw new Error('it does not show every message once, in order');
      return texts.flatMap((text, index) => [...(index === 0 ? [] : [{ tools: true as const }]), ...dated(text, date)]);
    });
  }
}

function dated(text: string, mark: string): TemplatePiece {
  const parts = text.split(mark).map((part, index) => (index % 2 === 0 ? part : { date: part }));
  if (parts.length % 2 === 0) throw new Error('it cuts the date into parts');
  return parts.filter((part) => part !== '');
}

function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= MOST_NUMBERS)) throw new Error(`it makes a list of more than ${MOST_NUMBERS} numbers`);
  return Array.from({ length }, (_, index) => from + index * step);
}

/** Characters of a private-use area, which no template trims, splits or changes the case of, and which this one doesn't hold. */
function unusedMarks(text: string): [string, string] {
  const unused: string[] = [];
  for (let code = 0xe000; code < 0xf8ff && unused.length < 2; code += 1) {
    const mark = String.fromCharCode(code);
    if (!text.includes(mark)) unused.push(mark);
  }
  const [first, second] = unused;
  if (first === undefined || second === undefined) throw new Error('it holds every private-use character');
  return [first, second];
}

/** What a date comes to where a template is rendered to be compared. */
export const ANY_DAY = '1 May 2031';

/** What work comes to, or what it fails with. */
export function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    return error instanceof Error ? error : new Error('it failed');
  }
}
