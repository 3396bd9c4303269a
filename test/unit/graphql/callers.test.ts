import Fastify from 'fastify';
import { localCaller, type Role } from '../../../src/kernel/caller.js';
import { addAuthentication, LOCAL_CALLERS } from '../../../src/server/graphql/callers.js';

describe('an address', () => {
  it.each<[Role, Role | undefined, number]>([
    ['ASK', 'ASK', 200],
    ['ASK', 'EDIT', 500],
    ['OPERATE', 'EDIT', 200],
    ['OPERATE', undefined, 500],
    ['ADMIN', undefined, 200],
  ])('answers %s where it says %s, and an administrator alone where it says nothing', async (role, needed, status) => {
    const server = Fastify();
    const refusals: unknown[] = [];
    addAuthentication(server, { ...LOCAL_CALLERS, authenticate: () => ({ ...localCaller(), role }) });
    server.addHook('onError', (_request, _reply, { code }, done) => (refusals.push(code), done()));
    server.get('/address', { config: needed ? { role: needed } : {} }, () => 'here');
    expect((await server.inject({ url: '/address' })).statusCode).toBe(status);
    expect(refusals).toEqual(status === 200 ? [] : ['FORBIDDEN']);
    await server.close();
  });
});
