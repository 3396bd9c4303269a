import { standaloneQuestion } from '../../../src/ask/follow-up.js';

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
