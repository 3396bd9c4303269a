import { Code } from '@mantine/core';

/** A sentence of the gateway, in which names of its API stand between backticks. */
export const Prose = ({ children }: { children: string }) =>
  // The pieces are always the same for the same sentence.
  children.split('`').map((piece, i) => (i % 2 === 1 ? <Code key={i}>{piece}</Code> : piece));
