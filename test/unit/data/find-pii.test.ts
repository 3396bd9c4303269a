import fc from 'fast-check';
import { isIban, passesLuhn } from '../../../src/sources/data/datasets/pii/checksums.js';
import { findPii, maskPii } from '../../../src/sources/data/datasets/pii/find-pii.js';

const kinds = (text: string) => findPii(text).map((m) => m.kind);

describe('findPii', () => {
  it.each([
    ['write to ada.lovelace+bank@example.co.uk please', 'write to [EMAIL] please'],
    ['mi correo es josé@ejemplo.es.', 'mi correo es [EMAIL].'],
    ['call me on +44 20 7946 0958 or (202) 555-0143', 'call me on [PHONE] or [PHONE]'],
    ['llámame al 612 34 56 78', 'llámame al [PHONE]'],
    ['my number is 020 7946 0123, thanks', 'my number is [PHONE], thanks'],
    ['mobile: 07700 900123', 'mobile: [PHONE]'],
    ['call 555-0123', 'call [PHONE]'],
    ['my card 4111 1111 1111 1111 was eaten', 'my card [CARD] was eaten'],
    ['card 5555-5555-5555-4444', 'card [CARD]'],
    ['IBAN GB82 WEST 1234 5698 7654 32 is mine', 'IBAN [IBAN] is mine'],
    ['api key: Zx81kQ0mmmPq is it', 'api key: [KEY] is it'],
    ['use AKIAIOSFODNN7EXAMPLE to log in', 'use [KEY] to log in'],
    ['token ghp_abcdefghijklmnopqrstuvwxyz0123456789', 'token [KEY]'],
    ['sk_live_abcdefghij0123456789', '[KEY]'],
    ['password is hunter22x', 'password is [KEY]'],
    // Thirteen digits whose last happens to be the check digit of a card.
    ['text +4915112345405 or +49 1511 2345 405', 'text [PHONE] or [PHONE]'],
    [`Bearer SG.${'aB3'.repeat(7)}x.${'aB3'.repeat(14)}x`, 'Bearer [KEY]'],
    [`pypi-AgEIcHlwaS5vcmc${'aB3_'.repeat(20)}`, '[KEY]'],
    [`secret GOCSPX-${'aB3-'.repeat(7)}`, 'secret [KEY]'],
    // Not one digit among random letters.
    ...['glpat-', 'npm_', 'github_pat_', 'rk_live_', 'AKIA', 'GOCSPX-'].map((beginning) => [
      `use ${beginning}${'ABCDEFGHIJKLMNOP'.repeat(2).slice(0, beginning === 'AKIA' ? 16 : 32)}`,
      'use [KEY]',
    ]),
    [`shpat_${'0123456789abcdef'.repeat(2)}`, '[KEY]'],
  ])('masks %j', (text, masked) => expect(maskPii(text)).toBe(masked));

  it.each([
    'card 4111 1111 1111 1112 has a wrong check digit',
    'on 1996-08-22 at 10:30, and 22/08/1996',
    'the score was 6-3 7-5 6-4 and the years 1996 1997 1998',
    'order 123456789 was for 1,250.00 euro',
    'error 192.168.100.200 after 10.5 seconds',
    'my password is not working since Tuesday',
    'see @support or me@localhost',
    'GB82 WEST 1234 5698 7654 33 is no IBAN',
    'version 1.2.3-4567 build 20240101',
    'drop constraint pk_customer_order_items in 2 tables',
    'install sk-learn-contrib-packages',
  ])('leaves %j alone', (text) => expect(kinds(text)).toEqual([]));

  it('finds nothing in what it has masked, and masks in order without overlap', () => {
    const piece = fc.constantFrom(
      'ada@example.com',
      '+34 612 345 678',
      '4111111111111111',
      ' ',
      'text',
      '0',
      '-',
      '@',
      'call ',
      '(202) 555-0143',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const text = pieces.join('');
        const found = findPii(text);
        found.slice(1).forEach((m, i) => expect(m.start).toBeGreaterThanOrEqual(found[i]!.end));
        for (const m of found) expect(m.end).toBeGreaterThan(m.start);
      }),
    );
  });

  it.each([
    ['beginnings of tokens', 'eyJ-'],
    ['keys that don’t end', '-----BEGIN PRIVATE KEY-----'],
  ])('takes a time that grows as the text does: %s', (_name, piece) => {
    const text = piece.repeat(Math.ceil(400_000 / piece.length));
    const start = performance.now();
    findPii(text);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('finds a token behind a word and a key in lines', () => {
    const token = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c'.repeat(20)}`;
    const key = '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----';
    expect(findPii(`jwt:${token} and ${key}`).map(({ kind, start, end }) => [kind, end - start])).toEqual([
      ['KEY', token.length],
      ['KEY', key.length],
    ]);
  });

  it('stays fast on a long text made to provoke backtracking', () => {
    const nasty = [
      'a.'.repeat(50_000) + '@',
      '1 '.repeat(50_000),
      'key=' + 'a'.repeat(100_000),
      '+('.repeat(50_000),
      '4'.repeat(100_000),
      'eyJ'.repeat(30_000),
    ];
    const start = performance.now();
    for (const text of nasty) findPii(text);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('check digits', () => {
  it('accepts what it completes itself and rejects every other last digit', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[1-9]\d{11,17}$/), (body) => {
        const valid = Array.from('0123456789').filter((d) => passesLuhn(body + d));
        expect(valid).toHaveLength(1);
      }),
    );
    expect(isIban('DE89370400440532013000')).toBe(true);
    expect(isIban('DE89370400440532013001')).toBe(false);
  });
});
