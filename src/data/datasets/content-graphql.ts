import { Field, Int, InterfaceType, ObjectType, registerEnumType } from 'type-graphql';
import { z } from 'zod';
import { entitySchema } from './tasks/task.js';
import { inputText, outputText, TASK_KINDS, TaskKind, taskOf, type TaskRow } from './tasks/index.js';

registerEnumType(TaskKind, {
  name: 'TaskKind',
  description: 'What a dataset teaches, and what an adapter does.',
  valuesConfig: Object.fromEntries(TASK_KINDS.map((kind) => [kind, { description: taskOf(kind).description }])),
});

@InterfaceType('RowContent', {
  description: 'What a row holds, by the task of its dataset.',
  resolveType: (row) => objectType(taskOf((row as TaskRow).task).schema),
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

type GraphQLClass = new () => object;
const classes = new Map<z.ZodObject, GraphQLClass>();

/** The GraphQL object type of a schema, named by its title, with its descriptions. */
function objectType(schema: z.ZodObject, base?: typeof RowContentType): GraphQLClass {
  const known = classes.get(schema);
  if (known) return known;
  const { title, description } = described(schema);
  const type = base ? class extends base {} : class {};
  classes.set(schema, type);
  ObjectType(title!, { description, ...(base && { implements: base }) })(type);
  for (const [name, field] of Object.entries(schema.shape)) {
    const options = { nullable: field instanceof z.ZodOptional, description: described(field).description };
    const returns = fieldType(field instanceof z.ZodOptional ? field.unwrap() : field);
    Field(() => returns, options)(type.prototype, name);
  }
  return type;
}

type FieldType = StringConstructor | typeof Int | GraphQLClass;

function fieldType(schema: unknown): FieldType | [FieldType] {
  if (schema instanceof z.ZodString || schema instanceof z.ZodEnum) return String;
  if (schema instanceof z.ZodNumber) return Int;
  if (schema instanceof z.ZodObject) return objectType(schema);
  if (schema instanceof z.ZodArray) return [fieldType(schema.element) as FieldType];
  throw new TypeError('A row may hold texts, whole numbers, and lists of objects of such.');
}

function described(schema: unknown): { title?: string; description: string } {
  const { title, description } = (schema as z.ZodType).meta() ?? {};
  if (description === undefined) throw new TypeError('A field of a row has no description.');
  return title === undefined ? { description } : { title, description };
}

/** An entity as GraphQL shows it, in rows and in answers alike. */
export const EntityType = objectType(entitySchema);

for (const kind of TASK_KINDS) objectType(taskOf(kind).schema, RowContentType);

export type RowContent = TaskRow;
