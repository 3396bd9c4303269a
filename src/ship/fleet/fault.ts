/**
 * What went wrong with an engine. `AWAY`: it can't be reached; `BUSY`: it takes no more for now; `SLOW`: it says nothing; `BROKEN`: what it
 * says is an error or makes no sense; `UNKNOWN_MODEL`: it doesn't have that base or adapter (any more); `REFUSED`: it won't do this, however
 * often it is asked.
 */
export type FaultKind = 'AWAY' | 'BUSY' | 'SLOW' | 'BROKEN' | 'UNKNOWN_MODEL' | 'REFUSED';

/** An engine failed. Who asked may be answered by another one. */
export class EngineFault extends Error {
  constructor(
    readonly kind: FaultKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'EngineFault';
  }
}

export const isFault = (error: unknown): error is EngineFault => error instanceof EngineFault;
