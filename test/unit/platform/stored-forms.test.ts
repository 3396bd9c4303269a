import { z } from 'zod';
import { RUN_KINDS } from '../../../src/server/graphql/resolvers.js';
import type { StoredJson } from '../../../src/kernel/stored-json.js';

type Schema = z.core.JSONSchema.BaseSchema;

/** The fields without which JSON is refused, as `steps`, `files[].sha256`. */
function required(schema: Schema, at = ''): string[] {
  const inner = (of: unknown, path: string): string[] =>
    typeof of === 'object' && of !== null ? required(of as Schema, path) : [];
  const own = (schema.required ?? []).map((name) => `${at}${name}`);
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, of]) => inner(of, `${at}${name}.`));
  const items = inner(schema.items, `${at.replace(/\.$/, '')}[].`);
  const either = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [...own, ...below, ...items, ...either.flatMap((of) => inner(of, at))];
}

const formOf = ({ schema }: StoredJson<unknown>): string[] => [
  ...new Set(required(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' })).sort()),
];

/*
 * Rows of runs are older than the code that reads them. Where this fails, a field has become necessary that stored ones lack: give it a
 * `.default(…)`, or the form an upgrade; `--updateSnapshot` is for what only fewer fields are asked of. A new form is written down by itself.
 */
describe('what runs stored', () => {
  it.each(RUN_KINDS.map(({ definition }) => [definition.kind, definition] as const))(
    'of the kind %s stays readable',
    (_, { input, output, checkpoint, events }) => {
      const forms = { input, output, ...(checkpoint && { checkpoint }), ...events };
      for (const [name, form] of Object.entries(forms))
        expect(formOf(form)).toMatchSnapshot(`${name}, format ${form.format}`);
    },
  );
});
