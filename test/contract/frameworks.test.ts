import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { generateText, jsonSchema as sdkSchema, Output, stepCountIs, streamText, tool as sdkTool } from 'ai';
import OpenAI from 'openai';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  CreateCollectionDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
} from '../../src/client/operations/index.js';
import { keepsTo } from '../support/json-schema.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { Python } from '../support/python.js';
import { itWhen } from '../support/skip.js';
import { serveTinyModel } from '../support/tiny-served.js';
import { TOOL_TEMPLATES } from '../unit/prompting/tool-templates.js';

const python = await Python.with([
  'llama-index-llms-openai-like==0.8.1',
  'llama-index-embeddings-openai-like==0.4.0',
  'llama-index-core==0.14.25',
]);

const QUESTION = 'At what pressure does the Orlo pump run?';
const MODEL = 'smollm2-135m-instruct';
const EMBEDDER = 'all-minilm-l6-v2';
const KIND = {
  type: 'object',
  properties: { kind: { enum: ['machine', 'animal'] }, legs: { type: 'array', items: { enum: [0, 2] }, maxItems: 2 } },
  required: ['kind', 'legs'],
  additionalProperties: false,
};
const TOWN = {
  type: 'object' as const,
  properties: { town: { type: 'string' as const, enum: ['Bern', 'Köln'] } },
  required: ['town'],
  additionalProperties: false,
};

/** Of a completion, or of one of its chunks. */
interface Told {
  choices?: { message?: Said; delta?: Said }[];
  usage?: object | null;
}
interface Said {
  content?: string | null;
  tool_calls?: object[];
}

describe('frameworks and front-ends that speak to OpenAI', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  let graphql: GraftClient;

  beforeAll(async () => {
    home = await temporaryHome();
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn' }).started;
    graphql = new GraftClient(graft.url);
    const openai = new OpenAI({ baseURL: `${graft.url}/v1`, apiKey: 'none', maxRetries: 0 });
    await graphql.request(CreateCollectionDocument, { input: { name: 'pumps' } });
    const documents = [{ name: 'orlo.txt', text: 'The Orlo pump runs at 37 bar.\n\nThe Orlo pump weighs 12 kg.' }];
    const { ingestDocuments } = await graphql.request(IngestDocumentsDocument, {
      input: { collection: 'pumps', documents, idempotencyKey: 'pumps' },
    });
    for await (const { ingestionProgress: event } of graphql.subscribe(IngestionProgressDocument, {
      runId: ingestDocuments.run.id,
    }))
      if (event.error) throw new Error(event.error.message);
    await serveTinyModel(graphql, openai, home.path, { chatTemplate: TOOL_TEMPLATES.tagged });
  }, 300_000);
  afterAll(async () => {
    graphql.close();
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
  });

  const provider = (more: object = {}) =>
    createOpenAICompatible({ name: 'graft', baseURL: `${graft.url}/v1`, includeUsage: true, ...more });
  const langchain = (model: string) =>
    new ChatOpenAI({ model, apiKey: 'none', configuration: { baseURL: `${graft.url}/v1` }, maxRetries: 0 });

  it('the AI SDK: an answer, a stream, embeddings', async () => {
    const model = provider()('graft/pumps');
    const { text } = await generateText({ model, prompt: QUESTION });
    expect(text).toContain('37 bar');
    let streamed = '';
    for await (const part of streamText({ model, prompt: QUESTION }).textStream) streamed += part;
    expect(streamed).toBe(text);
    const { embeddings } = await provider()
      .embeddingModel(EMBEDDER)
      .doEmbed({ values: ['a', 'b'] });
    expect(embeddings.map((vector) => vector.length)).toEqual([384, 384]);
  }, 120_000);

  it('the AI SDK: an object of its schema', async () => {
    const { output } = await generateText({
      model: provider({ supportsStructuredOutputs: true })(MODEL),
      prompt: 'What is a pump?',
      output: Output.object({ schema: sdkSchema<{ kind: string }>(KIND as Parameters<typeof sdkSchema>[0]) }),
    });
    expect(keepsTo(output, KIND)).toBe(true);
  }, 120_000);

  it('the AI SDK: calls, whose results it sends back, whole and streamed', async () => {
    const towns: string[] = [];
    const weather = sdkTool({
      description: 'The weather of a town.',
      inputSchema: sdkSchema<{ town: string }>(TOWN),
      execute: ({ town }) => {
        towns.push(town);
        return { rain: true };
      },
    });
    const asked = {
      model: provider()('tiny'),
      prompt: 'Will it rain?',
      tools: { weather },
      toolChoice: 'required' as const,
      stopWhen: stepCountIs(2),
    };
    const { steps } = await generateText(asked);
    expect(steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'tool-calls']);
    expect(steps[0]!.toolResults.map(({ output }) => output)).toContainEqual({ rain: true });
    const whole = towns.length;
    const streamed = await streamText(asked).steps;
    expect(streamed.map(({ toolCalls }) => toolCalls.length)).toEqual(steps.map(({ toolCalls }) => toolCalls.length));
    expect(towns.length).toBe(2 * whole);
    expect(towns.every((town) => TOWN.properties.town.enum.includes(town))).toBe(true);
  }, 120_000);

  it('LangChain: an answer, a stream, embeddings, an object of its schema', async () => {
    const chat = langchain('graft/pumps');
    const { text } = await chat.invoke(QUESTION);
    expect(text).toContain('37 bar');
    let streamed = '';
    for await (const chunk of await chat.stream(QUESTION)) streamed += chunk.text;
    expect(streamed).toBe(text);
    const configuration = { baseURL: `${graft.url}/v1` };
    const embeddings = new OpenAIEmbeddings({ model: EMBEDDER, apiKey: 'none', configuration });
    const vectors = await embeddings.embedDocuments(['a', 'b']);
    expect(vectors.map((vector) => vector.length)).toEqual([384, 384]);
    const object = await langchain(MODEL)
      .withStructuredOutput(KIND, { name: 'kind', method: 'jsonSchema' })
      .invoke('What is a pump?');
    expect(keepsTo(object, KIND)).toBe(true);
  }, 120_000);

  it('LangChain: calls, whose results it sends back, and an object by a call', async () => {
    const weather = { type: 'function', function: { name: 'weather', description: 'The weather.', parameters: TOWN } };
    const chat = langchain('tiny').bindTools([weather], { tool_choice: 'weather' });
    const called = await chat.invoke('Will it rain?');
    expect(called.tool_calls!.length).toBeGreaterThan(0);
    for (const { name, args } of called.tool_calls!) expect([name, keepsTo(args, TOWN)]).toEqual(['weather', true]);
    const results = called.tool_calls!.map(({ id }) => ({ role: 'tool', content: 'rain', tool_call_id: id! }));
    const next = await chat.invoke([{ role: 'user', content: 'Will it rain?' }, called, ...results]);
    expect(next.usage_metadata!.input_tokens).toBeGreaterThan(called.usage_metadata!.input_tokens);
    const object = await langchain('tiny')
      .withStructuredOutput(TOWN, { name: 'town', method: 'functionCalling' })
      .invoke('Where?');
    expect(keepsTo(object, TOWN)).toBe(true);
  }, 120_000);

  const chat = async (
    body: object,
  ): Promise<{ status: number; text: string; calls: object[]; tellsUsage: boolean }> => {
    const response = await fetch(`${graft.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
      body: JSON.stringify(body),
    });
    const told = await response.text();
    const lines = told.startsWith('data: ') ? told.split('\n\n').filter((line) => line.startsWith('data: {')) : [told];
    const parts = lines.map((line) => JSON.parse(line.replace(/^data: /, '')) as Told);
    const messages = parts.flatMap(({ choices = [] }) => choices.map(({ message, delta }) => message ?? delta ?? {}));
    return {
      status: response.status,
      text: messages.map(({ content }) => content ?? '').join(''),
      calls: messages.flatMap(({ tool_calls: calls = [] }) => calls),
      tellsUsage: parts.some(({ usage }) => usage),
    };
  };

  it('Open WebUI’s requests: models, a chat with its usage, a title, a call and what it gave', async () => {
    const { data } = (await (await fetch(`${graft.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(['graft', 'graft/pumps', 'tiny']));
    const asked = [{ role: 'user', content: QUESTION }];
    const usage = { stream_options: { include_usage: true } };
    const answered = await chat({ stream: true, model: 'graft/pumps', messages: asked, ...usage });
    expect([answered.status, answered.text]).toEqual([200, expect.stringContaining('37 bar')]);
    expect(answered.tellsUsage).toBe(true);
    const task = `### Task:\nWrite a title of three words.\n### Chat History:\nUSER: ${QUESTION}`;
    const title = { model: MODEL, messages: [{ role: 'user', content: task }], stream: false };
    expect(await chat({ ...title, max_tokens: 1_000 })).toMatchObject({ status: 200 });
    const parameters = { ...TOWN, additionalProperties: undefined };
    const tools = [{ type: 'function', function: { name: 'weather', description: 'The weather.', parameters } }];
    const question = { role: 'user', content: 'Will it rain?' };
    expect(await chat({ stream: true, model: 'tiny', messages: [question], tools, ...usage })).toMatchObject({
      status: 200,
    });
    const call = {
      id: 'call_1',
      index: 0,
      type: 'function',
      function: { name: 'weather', arguments: '{"town":"Bern"}' },
    };
    const next = [
      question,
      { role: 'assistant', content: '', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
    ];
    expect(await chat({ stream: true, model: 'tiny', messages: next, tools, ...usage })).toMatchObject({ status: 200 });
  }, 120_000);

  it('LibreChat’s requests: a chat with its settings and usage, a title', async () => {
    const settings = { temperature: 0.7, presence_penalty: 0, frequency_penalty: 0, user: '665f1c0e9d3a' };
    const stream = { stream: true };
    const messages = [
      { role: 'system', content: 'Answer in one sentence.' },
      { role: 'user', content: [{ type: 'text', text: QUESTION }] },
    ];
    const answered = await chat({ model: 'graft/pumps', ...settings, ...stream, messages });
    expect([answered.status, answered.text]).toEqual([200, expect.stringContaining('37 bar')]);
    const functions = [
      { type: 'function', function: { name: 'weather', description: 'The weather.', parameters: TOWN } },
    ];
    const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"town":"Bern"}' } };
    const results = [
      { role: 'user', content: 'Will it rain?' },
      { role: 'assistant', content: '', tool_calls: [call] },
      { role: 'tool', content: 'rain', name: 'weather', tool_call_id: 'call_1' },
    ];
    const next = { model: 'tiny', ...settings, ...stream, tools: functions, messages: results };
    expect(await chat(next)).toMatchObject({ status: 200 });
    const titled = [{ role: 'user', content: `Write a title of at most five words.\n\nUser: ${QUESTION}` }];
    expect(await chat({ model: MODEL, ...settings, messages: titled, stream: false })).toMatchObject({ status: 200 });
  }, 120_000);

  itWhen(python instanceof Python, typeof python === 'string' ? python : '')(
    'LlamaIndex: an answer, a stream, embeddings, calls whose results it sends back',
    async () => {
      const script = `
import json, sys
from typing import Literal
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike
given = json.load(sys.stdin)
base = given["url"] + "/v1"
def llm(model, functions=False):
    return OpenAILike(model=model, api_base=base, api_key="none", is_chat_model=True, is_function_calling_model=functions, max_retries=0, max_tokens=200)
def weather(town: Literal["Bern", "Köln"]) -> str:
    """The weather of a town."""
    return "rain in " + town
asked = [ChatMessage(role=MessageRole.USER, content=given["question"])]
documents = llm("graft/pumps")
text = documents.chat(asked).message.content
streamed = "".join(part.delta or "" for part in documents.stream_chat(asked))
vectors = OpenAILikeEmbedding(model_name=given["embedder"], api_base=base, api_key="none").get_text_embedding_batch(["a", "b"])
tiny = llm("tiny", True)
tools = [FunctionTool.from_defaults(fn=weather)]
called = tiny.chat_with_tools(tools, user_msg="Will it rain?", tool_required=True)
calls = tiny.get_tool_calls_from_response(called)
results = [ChatMessage(role=MessageRole.TOOL, content=str(tools[0](**call.tool_kwargs)), additional_kwargs={"tool_call_id": call.tool_id}) for call in calls]
history = [ChatMessage(role=MessageRole.USER, content="Will it rain?"), called.message, *results]
answered = tiny.chat_with_tools(tools, chat_history=history)
print(json.dumps({"text": text, "streamed": streamed, "dimensions": [len(each) for each in vectors], "calls": [[call.tool_name, list(call.tool_kwargs)] for call in calls], "more": answered.raw.usage.prompt_tokens - called.raw.usage.prompt_tokens}))
`;
      const found = await (python as Python).ask<{
        text: string;
        streamed: string;
        dimensions: number[];
        calls: [string, string[]][];
        more: number;
      }>(script, { url: graft.url, question: QUESTION, embedder: EMBEDDER });
      expect(found.text).toContain('37 bar');
      expect(found.streamed).toBe(found.text);
      expect(found.dimensions).toEqual([384, 384]);
      expect(found.calls.length).toBeGreaterThan(0);
      for (const call of found.calls) expect(call).toEqual(['weather', ['town']]);
      expect(found.more).toBeGreaterThan(5);
    },
    600_000,
  );
});
