import { standaloneQuestion } from '../../../src/answer/ask/follow-up.js';
import { wantedBy, type QuestionTerm } from '../../../src/answer/ask/read/evidence.js';
import { weighedFor, type RetrievalResult } from '../../../src/answer/ask/read/retrieve.js';
import { contentWords } from '../../../src/answer/ask/read/words.js';

const EARLIER = 'How long is the warranty of the Orlo pump?';

describe('a question that stands for itself', () => {
  it.each(['And for the valve?', 'What about spare parts?', 'How much?', 'What does it cost?', 'Why?'])(
    'puts “%s” behind what it follows',
    (question) => {
      expect(standaloneQuestion(question, [EARLIER])).toEqual({ text: `${EARLIER} ${question}`, joined: 1 });
    },
  );

  it.each([
    'How much does shipping to Norway cost?',
    'At what pressure does the Vela valve open?',
    'When was the Orlo pump, as it stands in the hall beside all of the others, last looked at by anyone?',
  ])('leaves “%s” alone', (question) => {
    expect(standaloneQuestion(question, [EARLIER])).toEqual({ text: question, joined: 0 });
  });

  it.each([
    'Is there a fee for late returns?',
    'Are there discounts for students?',
    'What other payment methods do you accept?',
    'Is the price the same for adults and children?',
    'Do I need both a passport and a visa?',
    'What should I do with a pump that leaks?',
    'How do I know that my order shipped?',
    'What is the highest temperature that can be set?',
    'Can I cancel this month?',
    'Is this week’s class full?',
    'What are those who pay late charged?',
    'Where is parking?',
    'When is checkout?',
    'Who is Napoleon?',
  ])('leaves “%s” alone, which points at nothing that was said', (question) => {
    expect(standaloneQuestion(question, [EARLIER])).toEqual({ text: question, joined: 0 });
  });

  it.each([
    'What does the zone do then?',
    'Do I need an appointment there?',
    'Is that dangerous for the crop?',
    'When does that consent end?',
    'What happens if that fails?',
    'Who pays in that case?',
    'Can you show me how this works?',
    'Does this policy cover theft?',
    'Why would I want those?',
    'This is too dear, is there a discount?',
    'Who is responsible?',
    'Since when?',
  ])('puts “%s” behind what it points at', (question) => {
    expect(standaloneQuestion(question, [EARLIER]).joined).toBe(1);
  });

  it.each([
    'With what?',
    'By how much?',
    'To whom?',
    'In which boat?',
    'With how much acid?',
    'In January?',
    'On Sundays?',
    'Without a ticket?',
    'For children under 4?',
    'What time?',
    'Which form?',
    'Even in winter?',
    'Womit?',
    'Um wie viel?',
    'Und ab wann?',
    'Wie lange?',
    '¿Con qué?',
    '¿Y los lunes?',
    '¿Cuánto?',
  ])('puts “%s” behind what it asks more about', (question) => {
    expect(standaloneQuestion(question, [EARLIER]).joined).toBe(1);
  });

  it.each([
    'With what do I clean the Orlo pump?',
    'In what year was the hall built?',
    'From which station do trains leave?',
    'Without a ticket can I board?',
    'What is acetone?',
    'Womit reinige ich die Pumpe im Keller?',
    'Wo ist Halle B?',
    'Wann ist Ostern?',
    '¿Dónde está el baño?',
    '¿Con qué se limpia la bomba?',
  ])('leaves “%s” alone, which says all that it asks', (question) => {
    expect(standaloneQuestion(question, [EARLIER])).toEqual({ text: question, joined: 0 });
  });

  it('reaches back to the question that a row of follow-ups began with, and no further', () => {
    const earlier = ['What colour is the door?', EARLIER, 'And for the valve?'];
    expect(standaloneQuestion('How much?', earlier)).toEqual({
      text: `${EARLIER} And for the valve? How much?`,
      joined: 2,
    });
    expect(standaloneQuestion('And then?', [])).toEqual({ text: 'And then?', joined: 0 });
  });
});

describe('the words of a question that follows others', () => {
  const termsOf = (text: string) =>
    contentWords(text).map(({ stem, name }): QuestionTerm => ({ stem, rarity: 1, name }));
  const weighed = (earlier: string, latest: string) => {
    const text = `${earlier} ${latest}`;
    const result = { retrieval: {} as RetrievalResult['retrieval'], terms: termsOf(text), wanted: wantedBy(text) };
    return weighedFor(latest, result);
  };

  it('weigh more than those of the earlier ones, and say what is asked for', () => {
    const { terms, wanted } = weighed('Who repairs the pump?', 'And how much is the valve?');
    const rarity = Object.fromEntries(terms.map((term) => [term.stem, term.rarity]));
    expect(rarity['valv']).toBe(1);
    expect(rarity['pump']).toBeLessThan(1);
    expect(wanted!.type!.kind).toBe('FIGURE');
  });

  it('take what they leave open from the earlier ones', () => {
    expect(weighed('Who repairs the pump?', 'And the valve?').wanted!.type!.kind).toBe('NAME');
  });

  it('put their number in the place of an earlier one', () => {
    const { terms, wanted } = weighed('Who won the cup in 2019?', 'And in 2021?');
    expect(terms.map(({ stem }) => stem)).not.toContain('2019');
    expect(wanted!.particulars!('In 2021 Ida won.', '')).toBeGreaterThan(0);
    expect(wanted!.particulars!('In 2019 Tom won.', '')).toBe(-1);
  });

  it('are all that there are where nothing came before', () => {
    const text = 'Who repairs the pump?';
    const result = { retrieval: {} as RetrievalResult['retrieval'], terms: termsOf(text), wanted: wantedBy(text) };
    expect(weighedFor(undefined, result)).toBe(result);
  });
});
