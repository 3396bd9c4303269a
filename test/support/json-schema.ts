/** Whether a value keeps to a JSON schema, read straight from the specification: a second opinion on Graft’s own reading. */
type Schema = Readonly<Record<string, unknown>>;

/** Whether a value keeps to a JSON schema (draft 2020-12), of the keywords that Graft takes: read anew here, straight from the specification. */
export function keepsTo(value: unknown, schema: unknown, root: unknown = schema): boolean {
  if (typeof schema === 'boolean') return schema;
  const s = schema as Schema;
  if (typeof s.$ref === 'string') {
    const at = s.$ref === '#' ? [] : s.$ref.slice(2).split('/');
    const named = at.reduce<unknown>((found, key) => (found as Schema)[key], root);
    if (!keepsTo(value, named, root)) return false;
  }
  if (s.anyOf !== undefined && !(s.anyOf as unknown[]).some((each) => keepsTo(value, each, root))) return false;
  if (s.enum !== undefined && !(s.enum as unknown[]).includes(value)) return false;
  if (Object.hasOwn(s, 'const') && s.const !== value) return false;
  if (s.type !== undefined && ![s.type].flat().some((type) => isA(value, type as string))) return false;
  if (typeof value === 'string') return within([...value].length, s.minLength, s.maxLength);
  if (Array.isArray(value))
    return (
      within(value.length, s.minItems, s.maxItems) &&
      value.every((item) => s.items === undefined || keepsTo(item, s.items, root))
    );
  if (typeof value !== 'object' || value === null) return true;
  const { properties = {}, required = [], additionalProperties = true } = s;
  return (
    (required as string[]).every((name) => Object.hasOwn(value, name)) &&
    Object.entries(value).every(([name, each]) =>
      keepsTo(
        each,
        Object.hasOwn(properties as Schema, name) ? (properties as Schema)[name] : additionalProperties,
        root,
      ),
    )
  );
}

const within = (count: number, least: unknown, most: unknown): boolean =>
  count >= Number(least ?? 0) && count <= Number(most ?? Infinity);

function isA(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
