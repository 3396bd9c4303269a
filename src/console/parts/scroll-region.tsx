import { Box } from '@mantine/core';
import type { ReactNode } from 'react';

/** What is wider or longer than its place scrolls there, by keyboard too. */
export function ScrollRegion({
  minWidth,
  mah,
  stacks,
  children,
}: {
  minWidth: number;
  mah?: number;
  /**
   * On a phone a row of the table becomes a block with so many cells beside each other, each under its `data-label`; a cell
   * without one has a line of its own, and one with `data-minor` is left out.
   */
  stacks?: number;
  children: ReactNode;
}) {
  return (
    <Box
      className={stacks ? 'scroll-region stacking' : 'scroll-region'}
      tabIndex={0}
      role="group"
      style={{ maxHeight: mah, '--stacked': stacks }}
    >
      <div style={{ minWidth }}>{children}</div>
    </Box>
  );
}
