import { TaskKind } from '../../../../src/sources/data/datasets/tasks/index.js';
import { made, rowsOf } from '../../../support/make-version.js';
import { classified, jsonl, rule } from './kit.js';

describe('rules on languages', () => {
  const english = Array.from({ length: 30 }, (_, i): [string, string] => [
    `This is the sentence number ${i} about the weather in town`,
    i % 2 ? 'a' : 'b',
  ]);

  rule('language-mix', 'names rows in another language than the rest', async () => {
    expect(
      rowsOf(
        await classified([...english, ['El sensor de humedad marca siempre cero desde ayer por la tarde', 'a']]),
        'language-mix',
      ),
    ).toEqual([31]);
  });

  rule('wrong-language', 'names sides that are not in their language', async () => {
    const file = await jsonl([
      { en: 'The weather is very nice in the town today', es: 'El tiempo es muy agradable hoy en la ciudad' },
      { en: 'El sensor de humedad marca siempre cero', es: 'The humidity sensor always shows the value zero' },
    ]);
    expect(rowsOf(await made({ task: TaskKind.TRANSLATION, files: [{ file }] }), 'wrong-language')).toEqual([2]);
  });
});
