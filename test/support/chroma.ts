import { randomUUID } from 'node:crypto';
import type { WorkspaceId } from '../../src/kernel/ids.js';

/** The run's Chroma. */
export function chromaUrl(): string {
  const url = process.env.GRAFT_TEST_CHROMA_URL;
  if (url === undefined) throw new Error('no test servers: does the test lie under test/unit?');
  return url;
}

/** A workspace of the test's own, so that tests share the server and nothing in it. */
export const freshWorkspace = (): WorkspaceId => randomUUID() as string as WorkspaceId;
