import { Field, InterfaceType, registerEnumType } from 'type-graphql';
import { recordType } from '../../../kit/graphql/index.js';
import { entitySchema } from './tasks/task.js';
import { inputText, outputText, TASK_KINDS, TaskKind, taskOf, type TaskRow } from './tasks/index.js';

registerEnumType(TaskKind, {
  name: 'TaskKind',
  description: 'What a dataset teaches, and what an adapter does.',
  valuesConfig: Object.fromEntries(TASK_KINDS.map((kind) => [kind, { description: taskOf(kind).description }])),
});

@InterfaceType('RowContent', {
  description: 'What a row holds, by the task of its dataset.',
  resolveType: (row) => contents.get((row as TaskRow).task),
})
export class RowContentType {
  @Field(() => String, { description: 'What the model is asked, as text.' })
  input(): string {
    return inputText(this as unknown as TaskRow);
  }

  @Field(() => String, { description: 'What it should answer, as text: entities as JSON.' })
  output(): string {
    return outputText(this as unknown as TaskRow);
  }
}

/** An entity as GraphQL shows it, in rows and in answers alike. */
export const EntityType = recordType(entitySchema);

const contents = new Map(TASK_KINDS.map((kind) => [kind, recordType(taskOf(kind).schema, RowContentType)]));

export type RowContent = TaskRow;
