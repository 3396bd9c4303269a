import type { FastifyInstance } from 'fastify';
import type { ServerResponse } from 'node:http';
import { isAllowed, localCaller, type Caller, type Role } from '../../kernel/caller.js';
import { GraftError } from '../../kernel/errors.js';
import { inScope } from '../../platform/database/index.js';

/** Says who a caller is, and tells when a key no longer allows what goes on with it: `Authenticator` of the access domain. */
export interface Callers {
  /** Whether every caller needs a key. */
  readonly required: boolean;
  /** @throws UNAUTHENTICATED, TOO_MANY_ATTEMPTS */
  authenticate(authorization: string | undefined, address: string): Caller | Promise<Caller>;
  /** @returns what stops watching */
  watch(caller: Caller, needed: Role, end: (error: GraftError) => void): () => void;
}

/** For a gateway on loopback of which nobody has a key. */
export const LOCAL_CALLERS: Callers = {
  required: false,
  authenticate: () => localCaller(),
  watch: () => () => undefined,
};

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends it; of the open addresses nobody is asked. */
    caller: Caller;
  }
  interface FastifyContextConfig {
    /** What a caller needs for this address; ADMIN where nothing is said. GraphQL's fields have roles of their own. */
    role?: Role;
  }
}

/** What anybody may see: pages, which ask for a key themselves, and whether the gateway lives. */
const OPEN: ReadonlySet<string> = new Set([
  '/',
  '/*',
  '/console/*',
  '/playground',
  '/playground/',
  '/playground/*',
  '/livez',
  '/readyz',
  '/sign-in.json',
]);

/** Where each operation is ended by itself, with an error that says why. */
const ENDED_BY_OPERATION: ReadonlySet<string> = new Set(['/graphql', '/graphql/stream']);

/** What is still being answered when its caller may have it no more breaks off. */
function endWithKey(callers: Callers, caller: Caller, requiredRole: Role, response: ServerResponse): void {
  if (response.destroyed) return;
  response.once(
    'close',
    callers.watch(caller, requiredRole, () => response.destroy()),
  );
}

/** A key looks like this (`newToken` of the access domain); where one stands in an address, logs of proxies have it already. */
const KEY = /graft_[0-9a-z]{10}_[A-Za-z0-9_-]{43}/;

/** @throws BAD_REQUEST for an address with a key in it, whatever else the request brings */
export function refuseKeyInUrl(url: string | undefined): void {
  if (url === undefined || !KEY.test(url)) return;
  throw new GraftError('BAD_REQUEST', 'The address has a key in it, and addresses end in logs.', {
    hint: 'Rotate that key, and send it as `Authorization: Bearer <key>`.',
  });
}

/** Asks who sends each request before its body is read. An address that is not open needs the role of its configuration, or ADMIN. */
export function addAuthentication(server: FastifyInstance, callers: Callers): void {
  server.decorateRequest('caller', null as unknown as Caller);
  // Behind the reading of the body, which goes on wherever its bytes arrive. Addresses that anybody may see read no rows.
  server.addHook('preHandler', ({ caller }: { caller: Caller | null }, _reply, callback) =>
    inScope(caller?.workspaceId ?? 'nobody', callback),
  );
  server.addHook('onRequest', (request, reply, callback) => {
    const { url, config } = request.routeOptions;
    const admit = (caller: Caller): void => {
      const requiredRole = config.role ?? 'ADMIN';
      if (!isAllowed(caller.role, requiredRole))
        throw new GraftError('FORBIDDEN', `${url} needs role ${requiredRole}; yours is ${caller.role}.`);
      request.caller = caller;
      if (!ENDED_BY_OPERATION.has(url!)) endWithKey(callers, caller, requiredRole, reply.raw);
    };
    const refuse = (error: unknown): void => {
      if (error instanceof GraftError && error.code === 'UNAUTHENTICATED')
        void reply.header('www-authenticate', 'Bearer realm="graft"');
      callback(error as Error);
    };
    try {
      refuseKeyInUrl(request.raw.url);
      // Without an address of ours there is nothing to guard.
      if (url === undefined || OPEN.has(url)) return callback();
      const caller = callers.authenticate(request.headers.authorization, request.ip);
      if (caller instanceof Promise) caller.then(admit).then(() => callback(), refuse);
      else {
        admit(caller);
        callback();
      }
    } catch (error) {
      refuse(error);
    }
  });
}
