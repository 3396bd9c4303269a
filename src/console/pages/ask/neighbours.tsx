import { Badge, Stack, Text } from '@mantine/core';
import type { AnswerShownFragment } from '../../generated/operations';
import { ShareBar } from '../../parts/bars';

/** The labelled rows that an answer was read from, nearest first. */
export function Neighbours({ neighbours }: Pick<AnswerShownFragment, 'neighbours'>) {
  return (
    <Stack gap="sm" role="list" aria-label="Labelled rows, nearest first">
      {neighbours.map(({ label, similarity, row }, i) => (
        // Two rows may read the same.
        <div key={i} role="listitem">
          <ShareBar
            label={
              <>
                <Badge size="xs" mr="xs">
                  {label}
                </Badge>
                {row?.content?.input ?? (
                  <Text component="span" size="sm" c="dimmed">
                    erased
                  </Text>
                )}
              </>
            }
            value={similarity}
            text={`similarity ${similarity.toFixed(2)}`}
          />
        </div>
      ))}
    </Stack>
  );
}
