import { questionsIn, severalReason } from '../../../src/answer/ask/judge/several-questions.js';

describe('questionsIn', () => {
  it.each<[number, string]>([
    [1, 'How much does the mirror weigh?'],
    [1, 'how much does the mirror weigh'],
    [1, 'Really?? ?!'],
    [1, 'What is at https://example.org/a?b=c&d=e?f'],
    [1, 'Who built the telescope and the dome?'],
    [1, 'What is the how-and-why method?'],
    [1, 'Mirror: 640 kg. Is that right?'],
    [1, '鏡の重さは？'],
    [1, ''],
    [1, 'And what about the VAT?'],
    [1, 'Hello? What is the warranty?'],
    [1, 'Hallo! Wann öffnet das Bad? Danke!'],
    [1, 'Is there a pool that is heated and in which children may swim?'],
    [1, 'What is the fee? I am 17.'],
    [1, 'Wie hoch ist die Gebühr? Ich bin 17!'],
    [1, 'What is the fee? My order is 123. Please be brief.'],
    [1, 'Tell me the fee.'],
    [2, 'What is the fee? when is it due'],
    [2, 'What is the fee? And when is it due.'],
    [2, 'Do you take cats, dogs etc.? And birds?'],
    [2, 'What is the fee? I am 17. When is it due?'],
    [2, 'What is the fee? I am 17, and when is it due.'],
    [2, 'Who built it? When?'],
    [2, 'What does pump 36 take? Pump 37?'],
    [2, 'Who built it and in what year was it finished?'],
    [2, 'At what pressure and at what temperature does it run?'],
    [3, 'Who built it? When? Where?'],
    [1, 'Und wann?'],
    [1, 'And who built it?'],
    [1, 'Is the pool closed on Sundays and when it rains?'],
    [1, 'Was it built in 1900 or when the king died?'],
    [1, 'What rules govern when and how to file claims?'],
    [2, 'What does it cost? And when does it open?'],
    [2, 'Wie schwer ist er? Und wer hat ihn gebaut?'],
    [2, '¿Cuánto pesa? ¿Y quién lo construyó?'],
    [2, 'Combien ça coûte et où le trouver ?'.normalize('NFD')],
    [2, 'What does it cost and\nwhen does it open?'],
    [2, 'How much does the mirror weigh? Who built the large telescope?'],
    [2, 'How much does the mirror weigh and who built the large telescope?'],
    [2, 'When and where was she born?'],
    [2, '¿Cuánto pesa el espejo y quién lo construyó?'],
    [2, 'Wie schwer ist der Spiegel, und wer hat ihn gebaut?'],
    [2, 'Combien pèse le miroir et qui l’a construit ?'],
    [2, '鏡の重さは？誰が作りましたか？'],
    [3, 'Where is it? What does it cost, and when does it open?'],
  ])('finds %i in %j', (expected, text) => {
    expect(questionsIn(text)).toBe(expected);
  });
});

describe('severalReason', () => {
  it('says how many there are, and what to do; and nothing of one', () => {
    expect(severalReason('When and where was she born?')).toMatchObject({
      feature: 'question.several',
      value: 2,
      sentence: expect.stringContaining('2 questions in one') as string,
    });
    expect(severalReason('When was she born?')).toBeNull();
  });
});
