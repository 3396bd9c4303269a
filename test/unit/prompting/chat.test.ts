import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readChat } from '../../../gpu-worker/chat/read-chat.js';
import {
  fenced,
  joinSegments,
  plainChat,
  promptText,
  renderChat,
  type ChatMessage,
  type PromptSegment,
} from '../../../src/sources/prompting/index.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import { storedChat } from '../../../src/sources/registry/model.js';
import type { ChatForm } from '../../../src/worker-protocol/index.js';
import { renderedWhole } from './rendered-whole.js';
import { TEMPLATES } from './templates.js';

/** Prompts of SmolLM2-135M-Instruct as they were when templates were still rendered for each of them. */
const SMOLLM2 = JSON.parse(readFileSync(join(packageRoot(), 'test/unit/prompting/smollm2-prompts.json'), 'utf8')) as {
  template: string;
  bosToken: string;
  eosToken: string;
  prompts: Record<string, { messages: ChatMessage[]; segments: PromptSegment[] }>;
};

const tokens = { bosToken: '<bos>', eosToken: '<eos>' };
const formOf = (template: string | null): ChatForm => readChat({ template, ...tokens });
const forms = Object.fromEntries(
  Object.entries(TEMPLATES).map(([name, template]) => [name, formOf(template)]),
) as Record<keyof typeof TEMPLATES, ChatForm>;
const names = Object.keys(TEMPLATES) as (keyof typeof TEMPLATES)[];
const ask = (content: string): ChatMessage[] => [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content },
];
/** So many messages in turns, the last of them the user's, behind a system message or none. */
const conversation = (length: number, system: boolean): ChatMessage[] => [
  ...(system ? [{ role: 'system', content: 'Be brief.' } as const] : []),
  ...Array.from({ length }, (_, i): ChatMessage => ({
    role: (length - i) % 2 === 1 ? 'user' : 'assistant',
    content: `turn ${i}`,
  })),
];

const specialText = (segments: PromptSegment[]): string => promptText(segments.filter(({ special }) => special));

describe('renderChat', () => {
  it('renders as the template does, with contents marked as text', () => {
    expect(renderChat(forms.chatml, ask('Who?'))).toEqual([
      { text: '<|im_start|>system\n', special: true },
      { text: 'Be brief.', special: false },
      { text: '<|im_end|>\n<|im_start|>user\n', special: true },
      { text: 'Who?', special: false },
      { text: '<|im_end|>\n<|im_start|>assistant\n', special: true },
    ]);
  });

  // Adapters were trained on these, to the bit.
  it.each(Object.entries(SMOLLM2.prompts))('gives SmolLM2 the prompt that it always had: %s', (_, prompt) => {
    const { template, bosToken, eosToken } = SMOLLM2;
    expect(renderChat(readChat({ template, bosToken, eosToken }), prompt.messages)).toEqual(prompt.segments);
  });

  it('gives a system message to the first user message where the template refuses it', () => {
    expect(promptText(renderChat(forms.gemma, ask('Who?')))).toBe(
      '<bos><start_of_turn>user\nBe brief.\n\nWho?<end_of_turn>\n<start_of_turn>model\n',
    );
  });

  it('begins with the token that begins a text where the template says so', () => {
    expect(renderChat(forms.llama3, ask('Who?'))[0]).toEqual({
      text: '<bos><|start_header_id|>system<|end_header_id|>\n\n',
      special: true,
    });
  });

  it('is what the template itself writes, whatever its habits and in whatever order messages come', () => {
    jest.useFakeTimers({ now: new Date('2026-06-07T08:09:00') });
    const role = fc.constantFrom<ChatMessage['role']>('system', 'user', 'assistant');
    const anyOrder = fc.array(fc.record({ role, content: fc.string() }), { minLength: 1, maxLength: 3 });
    const inTurns = fc.tuple(fc.integer({ min: 1, max: 8 }), fc.boolean()).map((each) => conversation(...each));
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.oneof(anyOrder, inTurns), (name, messages) => {
        const whole = renderedWhole(TEMPLATES[name], messages, tokens);
        if (whole) expect(renderChat(forms[name], messages)).toEqual(whole);
        else
          expect(() => renderChat(forms[name], messages)).toThrow(
            expect.objectContaining({ code: 'MODEL_UNSUPPORTED' }),
          );
      }),
      { numRuns: 500 },
    );
    jest.useRealTimers();
  });

  it('renders longer conversations by what held for all shorter ones, and refuses them where nothing did', () => {
    for (const name of ['chatml', 'gemma', 'llama3', 'thinking'] as const)
      for (const system of [true, false])
        expect(renderChat(forms[name], conversation(31, system))).toEqual(
          renderedWhole(TEMPLATES[name], conversation(31, system), tokens),
        );
    expect(() => renderChat(forms.counting, conversation(31, false))).toThrow(
      expect.objectContaining({ code: 'MODEL_UNSUPPORTED', message: expect.stringContaining('25 more') }),
    );
  });

  it('writes the day into a prompt on which it is asked, not that of the registration', () => {
    const on = (day: string) => promptText(renderChat(forms.dated, ask('Why?'), new Date(day)));
    expect(on('2026-06-01T12:00:00')).toContain('Today: 01 Jun 2026, June 06 12:00 % %x\n');
    expect(on('2027-12-31T12:00:00')).toContain('Today: 31 Dec 2027');
  });

  it('names months in English whatever the server’s locale', () => {
    const write = Date.prototype.toLocaleDateString;
    const german = jest.spyOn(Date.prototype, 'toLocaleDateString').mockImplementation(function (
      this: Date,
      locales?: Intl.LocalesArgument,
      options?: Intl.DateTimeFormatOptions,
    ) {
      return write.call(this, locales ?? 'de-DE', options);
    });
    const prompt = promptText(renderChat(forms.dated, ask('Why?'), new Date('2026-10-15T12:00:00')));
    german.mockRestore();
    expect(prompt).toContain('Today: 15 Oct 2026, October 10');
  });

  it('never lets a content into a special segment, whatever it holds', () => {
    const content = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('<|im_end|>', '{{ bos_token }}', '\ue0000\ue000', '\ue0001\ue000', '{% raw %}', '</s><|eot_id|>'),
    );
    const name = fc.constantFrom<keyof typeof TEMPLATES>('chatml', 'gemma', 'llama3', 'thinking');
    fc.assert(
      fc.property(name, content, content, (each, system, user) => {
        const messages: ChatMessage[] = [
          { role: 'system', content: system },
          { role: 'user', content: user },
          { role: 'assistant', content: 'yes' },
          { role: 'user', content: user },
        ];
        const frame = messages.map(({ role }) => ({ role, content: 'x' }));
        expect(specialText(renderChat(forms[each], messages))).toBe(specialText(renderChat(forms[each], frame)));
      }),
    );
  });

  it('writes labelled lines for a model without a template, with no control token but the first', () => {
    for (const template of [null, '  '])
      expect(renderChat(formOf(template), ask('Who?'))).toEqual([
        { text: '<bos>', special: true },
        { text: 'Be brief.\n\nUser: Who?\n\nAssistant:', special: false },
      ]);
    expect(plainChat(ask('Who?'), '')).toHaveLength(1);
  });
});

describe('readChat', () => {
  it.each([
    ['can’t be parsed', '{% for', /./],
    ['leaves a message out', "{{ messages[0]['role'] }}", /does not show/],
    ['shows a message twice', '{% for m in messages %}{{ m.content ~ m.content }}{% endfor %}', /once/],
    ['raises', "{{ raise_exception('no') }}", /no/],
    [
      'escapes what users write',
      '{% for m in messages %}{{ m.content | replace("<", "&lt;") }}{% endfor %}',
      /depends on/,
    ],
    [
      'looks for words in messages',
      '{% for m in messages %}{{ "X" if "long" in m.content }}{{ m.content }}{% endfor %}',
      /depends on/,
    ],
    [
      'reads the day that it is told',
      '{{ strftime_now("%Y")[0:2] }}{% for m in messages %}{{ m.content }}{% endfor %}',
      /date/,
    ],
    ['makes long lists', '{% for m in messages %}{{ range(1000000000) | length }}{{ m.content }}{% endfor %}', /10000/],
    ['writes what no text has', '{% for m in messages %}\0{{ m.content }}{% endfor %}', /no text/],
    ['goes deep', `{{ ${'('.repeat(50_000)}1${')'.repeat(50_000)} }}`, /too deep/],
    ['writes a novel', `{% for m in messages %}{{ m.content }}${'word '.repeat(20_000)}{% endfor %}`, /too much/],
    ['is a novel', 'word '.repeat(60_000), /characters/],
  ])('finds a template unusable that %s', (_, template, reason) => {
    const form = formOf(template);
    expect(form).toEqual({ kind: 'unusable', reason: expect.stringMatching(reason) });
    expect(() => renderChat(form, ask('Who?'))).toThrow(expect.objectContaining({ code: 'MODEL_UNSUPPORTED' }));
  });

  it('keeps what it found through JSON', () => {
    for (const name of names)
      expect(storedChat.decode(JSON.parse(JSON.stringify(storedChat.encode(forms[name]))))).toEqual(forms[name]);
  });
});

describe('joinSegments', () => {
  it('keeps the text and leaves no two neighbours of one kind', () => {
    const segment = fc.record({ text: fc.string(), special: fc.boolean() });
    fc.assert(
      fc.property(fc.array(segment), (segments) => {
        const joined = joinSegments(segments);
        expect(promptText(joined)).toBe(promptText(segments));
        expect(joined.every(({ special, text }, i) => text !== '' && special !== joined[i + 1]?.special)).toBe(true);
      }),
    );
  });
});

describe('fenced', () => {
  it('is never closed by what is inside', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('`', '``', '\n', 'a', ' ') }), (text) => {
        const lines = fenced(text).split('\n');
        const fence = lines[0]!;
        expect(lines.at(-1)).toBe(fence);
        expect(lines.slice(1, -1).some((line) => line.includes(fence))).toBe(false);
      }),
    );
  });
});
