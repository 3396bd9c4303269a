import { InvalidArgumentError } from 'commander';
import type { TaskKind } from '../client/operations/index.js';

/** Without one of them it doesn't compile. */
const TASKS: Readonly<Record<TaskKind, true>> = {
  CLASSIFICATION: true,
  EXTRACTION: true,
  INSTRUCTION: true,
  QUESTION_ANSWERING: true,
  TRANSLATION: true,
};

/** The task of a dataset as people type it: what is none is refused before a file is sent. @throws InvalidArgumentError */
export function aTask(text: string): TaskKind {
  const task = text.toUpperCase();
  if (Object.hasOwn(TASKS, task)) return task as TaskKind;
  throw new InvalidArgumentError(`It must be one of ${Object.keys(TASKS).join(', ').toLowerCase()}.`);
}
