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

  it('keeps the name of Chroma’s tenant out of what its client says', () => {
    const { log, lines } = capture();
    const url = 'http://127.0.0.1:8000/api/v2/tenants/home_secret/databases/ws_1/collections/2/upsert';
    log.error({ err: new Error('failed', { cause: new Error(`Bad request to ${url} with status: 400`) }) }, 'failed');
    expect(lines[0]).not.toContain('secret');
    expect(lines[0]).toContain('databases/ws_1');
  });
});
