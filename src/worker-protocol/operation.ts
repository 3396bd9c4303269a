import type { z } from 'zod';

/** One thing that a worker can be asked: the checks of what crosses the channel. `chunk` is null where nothing is streamed. */
export interface OperationDefinition {
  readonly input: z.ZodType;
  readonly output: z.ZodType;
  readonly chunk: z.ZodType | null;
  /** How long it may take where the caller doesn't say, in ms; two minutes by default. */
  readonly deadlineMs?: number;
}

/** Operations by name. */
export type Operations = Readonly<Record<string, OperationDefinition>>;

/** What a worker process is for, and so what it can be asked. */
export interface WorkerRole<Ops extends Operations = Operations> {
  readonly name: string;
  readonly operations: Ops;
}

export type NameOf<Ops extends Operations> = keyof Ops & string;
/** What a caller gives: fields with a default may be left out. */
export type RequestOf<D extends OperationDefinition> = z.input<D['input']>;
/** What a handler gets. */
export type InputOf<D extends OperationDefinition> = z.output<D['input']>;
export type OutputOf<D extends OperationDefinition> = z.output<D['output']>;
export type ChunkOf<D extends OperationDefinition> = D['chunk'] extends z.ZodType ? z.output<D['chunk']> : never;
