import { isToken, newToken, prefixOf } from '../../../src/operate/access/keys/api-key.js';
import { Attempts } from '../../../src/operate/access/keys/attempts.js';
import { refuseKeyInUrl } from '../../../src/server/graphql/callers.js';
import { sha256 } from '../../../src/kernel/hashing.js';

describe('a key', () => {
  it('has a prefix that may be shown and 256 bits that may not, and no two are the same', () => {
    const keys = Array.from({ length: 1_000 }, newToken);
    expect(new Set(keys.map(({ token }) => token)).size).toBe(1_000);
    for (const { token, prefix, digest } of keys) {
      expect(token).toMatch(/^graft_[0-9a-z]{10}_[A-Za-z0-9_-]{43}$/);
      expect(Buffer.from(token.slice(prefix.length + 1), 'base64url')).toHaveLength(32);
      expect([prefixOf(token), digest]).toEqual([prefix, sha256(token)]);
      expect([isToken(token, digest), isToken(`${token.slice(0, -1)}~`, digest)]).toEqual([true, false]);
    }
  });

  it('of nobody is compared as any other is, and is never right', () => {
    expect(isToken('', undefined)).toBe(false);
    expect(isToken(newToken().token, undefined)).toBe(false);
    for (const token of ['', 'graft_', 'graft_short_x', `${newToken().token} `, newToken().token.toUpperCase()])
      expect(prefixOf(token)).toBeNull();
  });

  it('is recognised in an address, wherever it stands', () => {
    const { token } = newToken();
    for (const url of [`/graphql?key=${token}`, `/${token}`, `/files/x?authorization=Bearer%20${token}&y`])
      expect(() => refuseKeyInUrl(url)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    expect(() => refuseKeyInUrl('/graphql?query={graft_0123456789}')).not.toThrow();
  });
});

describe('wrong keys', () => {
  it('are looked at thirty times in a row, then every other second, each network by itself', () => {
    let ms = 0;
    const attempts = new Attempts({ monotonic: () => ms });
    for (let i = 0; i < 30; i += 1) {
      expect(attempts.wait('10.0.0.1')).toBe(0);
      attempts.failed('10.0.0.1');
    }
    expect(attempts.wait('10.0.0.1')).toBe(2);
    expect(attempts.wait('::ffff:10.0.0.1')).toBe(2);
    expect(attempts.wait('10.0.0.2')).toBe(0);
    ms += 2_000;
    expect(attempts.wait('10.0.0.1')).toBe(0);
    for (let i = 0; i < 30; i += 1) attempts.failed(`2001:db8:1:2::${i}`);
    expect([attempts.wait('2001:db8:1:2:ffff::1'), attempts.wait('2001:db8:1:3::1')]).toEqual([2, 0]);
  });
});
