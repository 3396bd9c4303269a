import { SimpleGrid, Text } from '@mantine/core';
import { Note } from '../../parts/words';

const textOf = (value: unknown): string =>
  Array.isArray(value) ? value.map(String).join(', ') : typeof value === 'string' ? value : JSON.stringify(value);

/** `{ retention: { weight: 3 } }` as `retention.weight`, which is also how the API’s input nests it. */
const settingsOf = (recipe: object, within = ''): [string, string][] =>
  Object.entries(recipe).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? settingsOf(value, `${within}${name}.`)
      : [[`${within}${name}`, textOf(value)]],
  );

/** Every setting that a training was made with, by its name in the API. */
export function Recipe({ recipe }: { recipe: unknown }) {
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 4 }} spacing="sm">
      {settingsOf(recipe as object).map(([name, value]) => (
        <div key={name}>
          <Note size="xs" ff="monospace">
            {name}
          </Note>
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {value}
          </Text>
        </div>
      ))}
    </SimpleGrid>
  );
}
