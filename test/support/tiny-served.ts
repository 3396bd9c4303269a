import type OpenAI from 'openai';
import { join } from 'node:path';
import type { GraftClient } from '../../src/client/graft-client.js';
import { RegisterModelDocument } from '../../src/client/operations/index.js';
import { eventually } from './eventually.js';
import { writeTinyModel, type TinyModelOptions } from './tiny-model.js';

/** Registers the tiny model as `tiny` with a gateway, and waits until `/v1` lists it. @param folder where its file is written */
export async function serveTinyModel(
  graphql: GraftClient,
  openai: OpenAI,
  folder: string,
  options: TinyModelOptions = {},
): Promise<void> {
  const fileId = await graphql.upload(writeTinyModel(join(folder, 'tiny.gguf'), options).path);
  await graphql.request(RegisterModelDocument, { input: { fileId, name: 'tiny', idempotencyKey: 'tiny' } });
  const isListed = async () => (await openai.models.list()).data.some(({ id }) => id === 'tiny');
  await eventually('the model', isListed, 60_000);
}
