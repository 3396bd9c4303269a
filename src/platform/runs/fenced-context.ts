import type { Transaction } from '../database/index.js';
import { GRAFT, type TraceSpan } from '../tracing/index.js';
import type { LeaseStore } from './lease-store.js';
import type { RunContext } from './run-context.js';
import type { AnyRunKind } from './run-kind.js';
import { numbersOf } from './run-span.js';
import { LeaseLost, type RunLease, type RunRow, type StopReason } from './run.js';

/** The context of one attempt: what it writes goes through the lease, and finding that lost aborts the signal. */
export function fencedContext(parts: {
  run: RunRow;
  definition: AnyRunKind;
  lease: RunLease;
  abort: AbortController;
  store: LeaseStore;
  takeTurns: () => Promise<void>;
  /** Whose events the run's steps are. */
  span: TraceSpan;
}): RunContext {
  const { run, definition, lease, abort, store, takeTurns, span } = parts;
  const { kind, input, checkpoint, events } = definition;
  const guarded = async <T>(write: () => Promise<T>): Promise<T> => {
    try {
      return await write();
    } catch (error) {
      if (error instanceof LeaseLost) abort.abort('lost' satisfies StopReason);
      throw error;
    }
  };
  const fenced = <T>(work: (tx: Transaction) => Promise<T>) => guarded(() => store.fenced(lease, work));
  /** In the given transaction of `fenced`, or in one of its own. */
  const persist = (write: (tx: Transaction) => Promise<void>, tx?: Transaction) => (tx ? write(tx) : fenced(write));
  const encoded = (name: string, payload: unknown) => {
    const form = events[name];
    if (!form) throw new Error(`runs of the kind ${kind} have no event ${name}`);
    return form.encode(payload);
  };
  return {
    run,
    input: input.decode(run.input),
    resumed: checkpoint === null || run.checkpoint === null ? null : checkpoint.decode(run.checkpoint),
    signal: abort.signal,
    fenced,
    takeTurns,
    async progress(fraction, message, detail, tx) {
      const json = detail === undefined ? undefined : encoded('progress', detail);
      await persist((transaction) => store.progress(transaction, lease, fraction, message, json), tx);
      if (span.recording) span.event('progress', { [GRAFT.FRACTION]: fraction, ...numbersOf(detail) });
    },
    async checkpoint(state, tx) {
      if (checkpoint === null) throw new Error(`runs of the kind ${kind} have no checkpoint`);
      const json = checkpoint.encode(state);
      await persist((transaction) => store.checkpoint(transaction, lease, json), tx);
      span.event('checkpoint');
    },
    async emit(name, payload, tx) {
      const json = encoded(name, payload);
      await persist((transaction) => store.emit(transaction, lease, name, json), tx);
      if (span.recording) span.event(name, numbersOf(payload));
    },
  };
}
