import { serveOperations } from '../../worker-protocol/index.js';
import type { CallOptions, ServeCalls } from './worker-client.js';

/** Calls an operation by its name. */
interface OperationCaller {
  call(operation: string, request: object, options?: CallOptions): Promise<unknown>;
}

class Calls {}
for (const operation of Object.keys(serveOperations))
  Object.defineProperty(Calls.prototype, operation, {
    configurable: true,
    writable: true,
    value(this: OperationCaller, request: object, options?: CallOptions) {
      return this.call(operation, request, options);
    },
  });

/** Has a method for each operation of the table, which goes through the method `call` of who extends it. */
export const CallsOfServe = Calls as new () => ServeCalls;
