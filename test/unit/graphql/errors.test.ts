import { GraphQLError } from 'graphql';
import { ErrorPresenter } from '../../../src/server/graphql/errors.js';
import { GraftError } from '../../../src/kernel/errors.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';

const presenter = new ErrorPresenter(silentLogger());
const LONG = 'x'.repeat(100_000);

describe('an error as it is shown', () => {
  it('says a thousand characters of each thing at most, in and outside of an operation', () => {
    const error = new GraftError('BAD_USER_INPUT', LONG, { field: LONG, hint: LONG });
    for (const shown of [
      presenter.present(new GraphQLError('', { originalError: error }), 'r'),
      presenter.presentPlain(error, 'r'),
    ])
      expect(JSON.stringify(shown).length).toBeLessThan(4_000);
  });

  it('is the request’s fault when a library raised it before anything was resolved, and hidden afterwards', () => {
    const early = presenter.present(new GraphQLError('The document is odd.'), 'r');
    expect(early).toMatchObject({ message: 'The document is odd.', extensions: { code: 'BAD_REQUEST' } });
    const late = presenter.present(new GraphQLError('password: 1234', { path: ['ask'] }), 'r');
    expect(late.extensions).toMatchObject({ code: 'INTERNAL_ERROR', requestId: 'r' });
    expect(late.message).not.toContain('1234');
  });
});
