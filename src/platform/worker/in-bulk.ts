import { serveOperations } from '../../worker-protocol/index.js';
import type { CallOptions } from './worker-client.js';

type Method = (request: object, options?: CallOptions) => unknown;

/** The same worker for work that nobody waits for: its calls stand behind those of people. */
export const inBulk = <Worker extends object>(worker: Worker): Worker =>
  new Proxy(worker, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const method = (value as Method).bind(target);
      return name in serveOperations
        ? (request: object, options?: CallOptions) => method(request, { ...options, priority: 'bulk' })
        : method;
    },
  });
