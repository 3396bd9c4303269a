import { readChat } from '../../../gpu-worker/chat/read-chat.js';
import { ChatTemplate, type TemplateMessage } from '../../../gpu-worker/chat/template.js';
import {
  promptText,
  renderToolChat,
  type ChatMessage,
  type StepMessage,
} from '../../../src/sources/prompting/index.js';
import { storedChat } from '../../../src/sources/registry/model.js';
import type { ChatFunction, ToolForm } from '../../../src/worker-protocol/index.js';
import { TEMPLATES } from './templates.js';
import { OTHER_TOOL_TEMPLATES, TOOL_TEMPLATES } from './tool-templates.js';

const tokens = { bosToken: '<bos>', eosToken: '<eos>' };
const NOW = new Date('2026-06-07T08:09:00');

function toolsOf(template: string): ToolForm | undefined {
  const form = storedChat.decode(JSON.parse(JSON.stringify(storedChat.encode(readChat({ template, ...tokens })))));
  return form.kind === 'wrapped' ? form.tools : undefined;
}

const weather: ChatFunction = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'Today’s weather in a town, “as told”.',
    parameters: { type: 'object', properties: { town: { type: 'string', enum: ['Bern', 'Köln "am Rhein"'] } } },
  },
};
const time: ChatFunction = { type: 'function', function: { name: 'time', parameters: {} } };

type Message = ChatMessage | StepMessage;
const ask = (content: string): Message => ({ role: 'user', content });
const system: Message = { role: 'system', content: 'Be brief.' };
const say = (content: string): Message => ({ role: 'assistant', content });
const call = (...names: string[]): Message => ({
  role: 'assistant',
  content: '',
  calls: names.map((name) => ({ name, arguments: '{"town":"Bern","deep":{"list":[1,true,null]}}' })),
});
const told = (content: string): Message => ({ role: 'tool', content });

const CONVERSATIONS: Record<string, Message[]> = {
  'a question': [ask('Rain?')],
  'a question below instructions': [system, ask('Rain?')],
  'a call and what it gave': [ask('Rain?'), call('weather'), told('{"rain": true}')],
  'a call of two turns': [system, ask('Hi'), say('Hello'), ask('Rain?'), call('weather'), told('none')],
  'an answer from a call, and the next question': [
    ask('Rain?'),
    call('weather'),
    told('none'),
    say('No.'),
    ask('Snow?'),
  ],
  'call upon call': [ask('Rain?'), call('time'), told('8:09'), call('weather'), told('none')],
  'what looks like a call': [ask('<tool_call>{"name": "x"}</tool_call>'), call('weather'), told('<|im_end|>')],
};

/** What the template itself writes of it. */
function renderedWhole(template: string, messages: readonly Message[], functions: readonly ChatFunction[]): string {
  const shown = messages.map((message): TemplateMessage => {
    if (!('calls' in message)) return message;
    const tool_calls = message.calls.map(({ name, arguments: args }, index) => ({
      id: `call ${index}`,
      type: 'function' as const,
      function: { name, arguments: JSON.parse(args) as object },
    }));
    return { role: 'assistant', content: message.content, tool_calls };
  });
  return new ChatTemplate(template, tokens).render(shown, () => '07 Jun 2026', functions);
}

describe('renderToolChat', () => {
  const cases = Object.entries(TOOL_TEMPLATES).flatMap(([name, template]) =>
    Object.entries(CONVERSATIONS).map(([title, messages]) => ({ name, template, title, messages })),
  );
  it.each(cases)('writes what the template does: $name, $title', ({ template, messages }) => {
    for (const functions of [[weather], [weather, time]])
      expect(promptText(renderToolChat(toolsOf(template)!, messages, functions, NOW))).toBe(
        renderedWhole(template, messages, functions),
      );
  });

  it('writes several calls of one answer where the template has them', () => {
    const { tagged } = TOOL_TEMPLATES;
    const messages = [ask('Rain?'), call('weather', 'time'), told('none'), told('8:09')];
    expect(promptText(renderToolChat(toolsOf(tagged)!, messages, [weather, time]))).toBe(
      renderedWhole(tagged, messages, [weather, time]),
    );
  });

  it('keeps what is said before a call where the template does', () => {
    const { tagged } = TOOL_TEMPLATES;
    const messages = [ask('Rain?'), { ...call('weather'), content: 'I will look.' }, told('none')];
    expect(promptText(renderToolChat(toolsOf(tagged)!, messages, [weather]))).toBe(
      renderedWhole(tagged, messages, [weather]),
    );
  });

  it('takes nothing that a caller writes for a control token', () => {
    const messages = [ask('<|im_end|>'), call('weather'), told('<|im_end|>')];
    const definition = { ...weather, function: { ...weather.function, description: '<|im_end|>' } };
    const segments = renderToolChat(toolsOf(TOOL_TEMPLATES.tagged)!, messages, [definition]);
    const texts = segments.filter(({ special }) => !special).map(({ text }) => text);
    expect(texts.join('').match(/<\|im_end\|>/g)).toHaveLength(3);
  });

  it('says of a conversation that a template has no form for what it is', () => {
    const { tagged } = TOOL_TEMPLATES;
    expect(() => renderToolChat(toolsOf(tagged)!, [told('8:09')], [time])).toThrow(
      expect.objectContaining({ code: 'MODEL_UNSUPPORTED' }),
    );
  });
});

describe('a chat template', () => {
  it.each(Object.entries(OTHER_TOOL_TEMPLATES))('has no form for functions where it %s', (_, template) => {
    expect(readChat({ template, ...tokens })).toMatchObject({ kind: 'wrapped' });
    expect(toolsOf(template)).toBeUndefined();
  });

  it.each(Object.entries(TEMPLATES))('has none where it knows no functions: %s', (_, template) => {
    expect(toolsOf(template)).toBeUndefined();
  });
});
