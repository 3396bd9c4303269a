import {
  embedderReason,
  isUntold,
  languageOf,
  languageReason,
  seemsIn,
} from '../../../src/answer/ask/languages/question-language.js';
import type { Adaptation } from '../../../src/answer/ask/plan.js';
import { planOf, variantOf } from './support.js';

describe('the language of a question', () => {
  it('is told by its small words, or its script', () => {
    const questions = {
      en: 'At what wind speed are the roof vents forced shut?',
      es: '¿A qué velocidad del viento se cierran las ventanas?',
      de: 'Ab wann ist die Lüftung der Dachfenster geschlossen?',
      fr: 'Quand est-ce que les fenêtres du toit sont fermées ?',
      it: 'Quando è stata aperta la serra della città?',
      pt: 'Qual é a velocidade do vento em que se fecham os telhados?',
      nl: 'Wanneer wordt het dak gesloten?',
      ru: 'При какой скорости ветра закрываются окна?',
      zh: '屋顶通风口在什么风速下关闭?',
      ja: '屋根の通気口はどの風速で閉じますか?',
    };
    for (const [language, question] of Object.entries(questions))
      expect([question, languageOf(question)]).toEqual([question, language]);
  });

  it('is not guessed at from names, numbers, or too little', () => {
    for (const question of ['RMA 21?', 'Vane', 'Storm lock 14 m/s', 'Kurt Gödel Wien 1931', ''])
      expect(languageOf(question)).toBeNull();
  });

  it('is untold where there are but key words', () => {
    expect(isUntold('max cable length HC-3 controller')).toBe(true);
    expect(isUntold('deposit large truck 2024')).toBe(true);
    expect(isUntold('RMA number jak długo?')).toBe(false);
    expect(isUntold('number of bunks')).toBe(false);
    expect(isUntold('Сколько стоит')).toBe(false);
  });

  it('is taken for one where something speaks for it and nothing more for another', () => {
    const names = ['Do you ship to Zürich?', 'Is your café open?'];
    for (const question of ['At what wind speed are the vents shut?', 'When do API tokens run out?', ...names])
      expect([question, seemsIn('en', question)]).toEqual([question, true]);
    for (const question of [
      'Wie lange gilt die Garantie?',
      'Quelle est la capitale ?',
      'RMA 21?',
      'При какой скорости?',
    ])
      expect([question, seemsIn('en', question)]).toEqual([question, false]);
  });

  it('is said where the adapter learned another, and not where it learned any or the same', () => {
    const spanish = '¿A qué velocidad del viento se cierran las ventanas?';
    const of = (language?: string) => {
      const adapter = { adapter: 'reading', version: 1, usage: language === undefined ? {} : { language }, file: {} };
      return languageReason(planOf('HYBRID', variantOf(), { adapter } as unknown as Adaptation), spanish);
    };
    expect(of('en')!.sentence).toBe('The question seems to be in another language (es) than reading@1 learned (en).');
    expect(of('es')).toBeNull();
    expect(of()).toBeNull();
    expect(languageReason(planOf('BASE', variantOf()), spanish)).toBeNull();
  });

  it('is said where documents are found by an embedder that did not learn it, and not where nobody can tell', () => {
    const spanish = '¿A qué velocidad del viento se cierran las ventanas?';
    expect(embedderReason(['en'], spanish)).toMatchObject({
      feature: 'retrieval.language',
      sentence: expect.stringContaining('(es) that the embedder didn’t learn (en)') as string,
    });
    expect(embedderReason(null, spanish)).toBeNull();
    expect(embedderReason(['en', 'es'], spanish)).toBeNull();
    expect(embedderReason(['en'], 'RMA 21?')).toBeNull();
  });
});
