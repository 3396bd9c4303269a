import { RESERVED_TOKENS } from '../../../src/operate/access/budgets/budget.js';
import { checkedQuestion } from '../../../src/answer/ask/question.js';
import { STRATEGIES, Strategy } from '../../../src/answer/ask/strategies.js';
import { ANSWERS_TOGETHER } from '../../../src/kit/graphql/index.js';
import type { JsonForm } from '../../../src/worker-protocol/index.js';

/** Yes or no. */
const FORM: JsonForm = [{ kind: 'boolean' }];

describe('every strategy', () => {
  it('is counted where a question goes through all of them: in the line of those that wait and in what is reserved', () => {
    expect(ANSWERS_TOGETHER).toBe(Object.keys(STRATEGIES).length);
    expect(RESERVED_TOKENS.ANSWERS).toBe(Object.keys(STRATEGIES).length * RESERVED_TOKENS.ANSWER);
  });

  it.each(Object.values(Strategy))('%s takes a form where its definition says so, and else refuses it', (strategy) => {
    const { adapts, takesForm } = STRATEGIES[strategy];
    const ask = () => checkedQuestion({ question: 'Why?', strategy, form: FORM, adapter: adapts ? 'a@3' : null });
    if (takesForm) expect(ask().form).toEqual(FORM);
    else expect(ask).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT', field: 'input.form' }) as Error);
  });

  it('is one that takes no form where Graft chooses, which may choose to quote', () => {
    const ask = () => checkedQuestion({ question: 'Why?', form: FORM });
    expect(ask).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT', field: 'input.form' }) as Error);
  });
});
