import { z } from 'zod';
import { connectionTypes, nodeOf, NodeType, objectType } from '../../../kit/graphql/index.js';
import { string, date } from '../../../kernel/record.js';
import type { WorkspaceRow } from './workspace-store.js';

export const Workspace = objectType(
  'Workspace',
  'A tenant: its documents, data, models, answers and keys are seen from no other.',
  {
    name: string('Unique among workspaces, 1 to 100 characters.'),
    createdAt: date('When it was made.'),
    row: z.custom<WorkspaceRow>(),
  },
  NodeType,
);
export type Workspace = InstanceType<typeof Workspace>;

export const { Connection: WorkspaceConnection } = connectionTypes(Workspace);

export const toWorkspace = (row: WorkspaceRow): Workspace => nodeOf(Workspace, row);
