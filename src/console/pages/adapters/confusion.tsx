import { Table, Tooltip } from '@mantine/core';
import { count } from '../../parts/format';
import { Note } from '../../parts/page';
import { ScrollRegion } from '../../parts/table';

interface Cell {
  gold: string;
  predicted: string | null;
  count: number;
}

/** Labels that a matrix can show readably. */
const LABELS_SHOWN = 16;
const NO_LABEL = 'no label';

const said = ({ predicted }: Cell): string => predicted ?? NO_LABEL;

/** The labels that are mistaken most, with those that they are mistaken for. */
function labelsOf(cells: readonly Cell[]): string[] {
  const wrong = cells.filter((cell) => cell.gold !== cell.predicted).sort((a, b) => b.count - a.count);
  const labels = new Set<string>();
  for (const cell of [...wrong, ...cells]) {
    if (labels.size + 2 > LABELS_SHOWN) break;
    labels.add(cell.gold).add(said(cell));
  }
  return [...labels].sort();
}

/** What was taken for what: a row a true label, a column an answer, the darker the more rows. */
export function Confusion({ cells }: { cells: readonly Cell[] }) {
  const labels = labelsOf(cells);
  const counts = new Map(cells.map((cell) => [`${cell.gold}\n${said(cell)}`, cell.count]));
  const maximum = Math.max(1, ...cells.map((cell) => cell.count));
  const allLabels = new Set(cells.flatMap((cell) => [cell.gold, said(cell)]));
  return (
    <>
      {allLabels.size > labels.length && (
        <Note mb="xs">
          The {labels.length} labels that are mistaken most, of {count(allLabels.size)}.
        </Note>
      )}
      <ScrollRegion minWidth={200 + 44 * labels.length} mah={640}>
        <Table
          className="confusion"
          w="auto"
          withRowBorders={false}
          aria-label="Confusion matrix: true labels by answers"
        >
          <Table.Thead>
            <Table.Tr>
              <Table.Th>true, then answered</Table.Th>
              {labels.map((label) => (
                <Table.Th key={label} className="column">
                  <span>{label}</span>
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {labels
              .filter((label) => label !== NO_LABEL)
              .map((gold) => (
                <Table.Tr key={gold}>
                  <Table.Th scope="row">{gold}</Table.Th>
                  {labels.map((predicted) => {
                    const rows = counts.get(`${gold}\n${predicted}`) ?? 0;
                    return (
                      <Tooltip key={predicted} label={`${gold} answered as ${predicted}: ${rows}`}>
                        <Table.Td
                          data-right={gold === predicted || undefined}
                          style={{ '--share': rows === 0 ? 0 : 0.15 + 0.55 * (rows / maximum) }}
                        >
                          {rows > 0 && rows}
                        </Table.Td>
                      </Tooltip>
                    );
                  })}
                </Table.Tr>
              ))}
          </Table.Tbody>
        </Table>
      </ScrollRegion>
    </>
  );
}
