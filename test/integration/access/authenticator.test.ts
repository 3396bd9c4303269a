import { Authenticator } from '../../../src/operate/access/keys/authenticator.js';
import { DEFAULT_WORKSPACE_ID } from '../../../src/kernel/ids.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { instead } from '../../support/instead.js';
import { accessKit, type AccessKit } from './access-kit.js';

describe('a gateway that revokes a key', () => {
  let kit: AccessKit;
  beforeAll(async () => void (kit = await accessKit()));
  afterAll(() => kit.dispose());

  it('takes it no more from then on, though it was being looked up', async () => {
    const { key, token } = await kit.key('ASK');
    const { keyStore } = kit.access;
    let [read, tell] = [(): void => undefined, (): void => undefined];
    const wasRead = new Promise<void>((resolve) => (read = resolve));
    const told = new Promise<void>((resolve) => (tell = resolve));
    const inUseByPrefix: typeof keyStore.inUseByPrefix = async (prefix) => {
      const found = await keyStore.inUseByPrefix(prefix);
      read();
      await told;
      return found;
    };
    const store = instead(keyStore, { inUseByPrefix });
    const gateway = new Authenticator({ store, clock: systemClock, log: silentLogger(), keyless: false });
    const ask = async () => gateway.authenticate(`Bearer ${token}`, 'here');
    const before = ask();
    await wasRead;
    await kit.access.keys.revoke(DEFAULT_WORKSPACE_ID, key.id);
    gateway.forget(key.prefix);
    tell();
    expect(await before).toMatchObject({ role: 'ASK' });
    await expect(ask()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    gateway.close();
  });
});

describe('a gateway that asks for no key', () => {
  let kit: AccessKit;
  beforeAll(async () => void (kit = await accessKit()));
  afterAll(() => kit.dispose());

  it('lets in who sends none, or the word for none, and nobody with a key that is wrong', async () => {
    const gateway = new Authenticator({
      store: kit.access.keyStore,
      clock: systemClock,
      log: silentLogger(),
      keyless: true,
    });
    for (const authorization of [undefined, 'Bearer none'])
      expect(await gateway.authenticate(authorization, 'here')).toMatchObject({ role: 'ADMIN', key: null });
    const { token } = await kit.key('ASK');
    for (const wrong of ['wrong', token.slice(0, -3), `x${token}`, 'sk-1234'])
      await expect(async () => gateway.authenticate(`Bearer ${wrong}`, 'here')).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
      });
    gateway.close();
  });
});
