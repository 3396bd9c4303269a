import { notFound } from '../../../src/kernel/errors.js';
import { DEFAULT_WORKSPACE_ID } from '../../../src/kernel/ids.js';
import { targetOf, type Names } from '../../../src/server/openai/model-names.js';

/** A workspace with one of each. */
const names = {
  collections: {
    require: (_: string, name: string, field: string) =>
      name === 'pumps' ? Promise.resolve({ name }) : Promise.reject(notFound('The collection', name, field)),
  },
  adapters: { byName: (_: string, name: string) => Promise.resolve(name === 'router' ? { name } : null) },
  models: { modelByName: (_: string, name: string) => Promise.resolve(name === 'small' ? { name } : null) },
  table: { 'gpt-4o': 'small' },
} as unknown as Names;

const target = (model: string) => targetOf(names, DEFAULT_WORKSPACE_ID, model);

describe('a model name of the endpoint', () => {
  it.each([
    ['graft', { strategy: 'AUTO' }],
    ['graft/pumps', { strategy: 'RAG', collections: ['pumps'] }],
    ['router', { strategy: 'ADAPTER', adapter: 'router' }],
    ['router@7', { strategy: 'ADAPTER', adapter: 'router@7' }],
    ['router@candidate+pumps', { strategy: 'HYBRID', adapter: 'router@candidate', collections: ['pumps'] }],
    ['small@Q8_0', { strategy: 'BASE', model: 'small@Q8_0' }],
    ['gpt-4o', { strategy: 'BASE', model: 'small' }],
    ['ft:small:graft:mail:router@7', { strategy: 'ADAPTER', adapter: 'router@7' }],
  ])('says what is asked: %s', async (model, expected) => {
    expect(await target(model)).toEqual(expected);
  });

  it.each([
    'nobody',
    'graft/nowhere',
    'router+nowhere',
    'nobody+pumps',
    'small+pumps',
    'graft/',
    'ft:small:graft:mail:nobody@1',
    'ft:',
    '__proto__',
    'constructor',
  ])('is not there, and that is told of the model: %s', async (model) => {
    await expect(target(model)).rejects.toMatchObject({ code: 'NOT_FOUND', field: 'input.model' });
  });
});
