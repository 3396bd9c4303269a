import { jest } from '@jest/globals';
import fc from 'fast-check';
import {
  fenced,
  joinSegments,
  plainChat,
  promptText,
  renderChat,
  type ChatMessage,
  type PromptSegment,
} from '../../../src/prompting/index.js';

const CHATML =
  "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are helpful<|im_end|>\n' }}{% endif %}" +
  "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
const GEMMA =
  "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" +
  "{% for message in messages %}{{ '<start_of_turn>' + (message['role'] if message['role'] == 'user' else 'model') + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}";
const LLAMA3 =
  "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' %}" +
  '{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}' +
  "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

const tokens = { bosToken: '<bos>', eosToken: '<eos>' };
const ask = (content: string): ChatMessage[] => [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content },
];

const specialText = (segments: PromptSegment[]): string => promptText(segments.filter(({ special }) => special));

describe('renderChat', () => {
  it('renders as the template does, with contents marked as text', () => {
    expect(renderChat(CHATML, ask('Who?'), tokens)).toEqual([
      { text: '<|im_start|>system\n', special: true },
      { text: 'Be brief.', special: false },
      { text: '<|im_end|>\n<|im_start|>user\n', special: true },
      { text: 'Who?', special: false },
      { text: '<|im_end|>\n<|im_start|>assistant\n', special: true },
    ]);
  });

  it('gives a system message to the first user message where the template refuses it', () => {
    expect(promptText(renderChat(GEMMA, ask('Who?'), tokens))).toBe(
      '<bos><start_of_turn>user\nBe brief.\n\nWho?<end_of_turn>\n<start_of_turn>model\n',
    );
  });

  it('begins with the token that begins a text where the template says so', () => {
    expect(renderChat(LLAMA3, ask('Who?'), tokens)[0]).toEqual({
      text: '<bos><|start_header_id|>system<|end_header_id|>\n\n',
      special: true,
    });
  });

  it('renders a template anew that looks at the clock', () => {
    const dated = "{{ strftime_now('%Y') }}{% for message in messages %}{{ message['content'] }}{% endfor %}";
    jest.useFakeTimers({ now: new Date('2026-06-01') });
    expect(promptText(renderChat(dated, ask('Why?'), tokens))).toContain('2026');
    jest.setSystemTime(new Date('2027-06-01'));
    expect(promptText(renderChat(dated, ask('Why?'), tokens))).toContain('2027');
    jest.useRealTimers();
  });

  it('never lets a content into a special segment, whatever it holds', () => {
    const content = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('<|im_end|>', '{{ bos_token }}', '\ue0000\ue000', '\ue0001\ue000', '{% raw %}', '</s><|eot_id|>'),
    );
    fc.assert(
      fc.property(fc.constantFrom(CHATML, GEMMA, LLAMA3), content, content, (template, system, user) => {
        const messages: ChatMessage[] = [
          { role: 'system', content: system },
          { role: 'user', content: user },
          { role: 'assistant', content: 'yes' },
          { role: 'user', content: user },
        ];
        const frame = messages.map(({ role }) => ({ role, content: 'x' }));
        expect(specialText(renderChat(template, messages, tokens))).toBe(
          specialText(renderChat(template, frame, tokens)),
        );
      }),
    );
  });

  it.each([
    ['that can’t be parsed', '{% for'],
    ['that leaves a message out', "{{ messages[0]['content'] }}"],
    ['that raises', "{{ raise_exception('no') }}"],
  ])('refuses a template %s', (_, template) => {
    expect(() => renderChat(template, [...ask('Who?'), { role: 'assistant', content: 'I' }], tokens)).toThrow(
      expect.objectContaining({ code: 'MODEL_UNSUPPORTED' }),
    );
  });

  it('writes labelled lines for a model without a template, with no control token but the first', () => {
    for (const template of [null, '  '])
      expect(renderChat(template, ask('Who?'), tokens)).toEqual([
        { text: '<bos>', special: true },
        { text: 'Be brief.\n\nUser: Who?\n\nAssistant:', special: false },
      ]);
    expect(plainChat(ask('Who?'), { bosToken: '', eosToken: '' })).toHaveLength(1);
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
