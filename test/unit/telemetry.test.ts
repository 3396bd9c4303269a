import { Writable } from 'node:stream';
import { createLogger } from '../../src/platform/telemetry/index.js';

function capture() {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  return { log: createLogger({ level: 'info', destination }), lines };
}

describe('the logger', () => {
  it('blanks what users wrote wherever somebody passes it', () => {
    const { log, lines } = capture();
    log.info(
      { question: 'secret', input: { text: 'secret', deep: { prompt: 'secret' } }, authorization: 'secret' },
      'asked',
    );
    expect(lines[0]).not.toContain('secret');
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', msg: 'asked', question: '[redacted]' });
  });

  it('keeps of a database error what happened, and not the values of the call', () => {
    const { log, lines } = capture();
    const error = new Error(
      '\nInvalid `prisma.answer.create()` invocation:\n{ data: { text: "secret" } }\n\nUnique constraint failed',
    );
    error.name = 'PrismaClientKnownRequestError';
    log.error({ err: new Error('while saving', { cause: Object.assign(error, { code: 'P2002' }) }) }, 'failed');
    expect(lines[0]).not.toContain('secret');
    expect(JSON.parse(lines[0]!)).toMatchObject({
      err: { message: 'while saving', cause: { code: 'P2002', message: 'Unique constraint failed' } },
    });
  });
});
