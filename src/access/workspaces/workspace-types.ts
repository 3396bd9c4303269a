import { Field, ObjectType } from 'type-graphql';
import { connectionTypes, DateTime, make, NodeType, toGlobalId } from '../../graphql-kit/index.js';
import type { WorkspaceRow } from './workspace-store.js';

@ObjectType({
  implements: NodeType,
  description: 'A tenant: its documents, data, models, answers and keys are seen from no other.',
})
export class Workspace extends NodeType {
  @Field(() => String, { description: 'Unique among workspaces, 1 to 100 characters.' })
  name!: string;

  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;
}

export const { Connection: WorkspaceConnection } = connectionTypes(Workspace);

export const toWorkspace = ({ id, name, createdAt }: WorkspaceRow): Workspace =>
  make(Workspace, { id: toGlobalId('Workspace', id), name, createdAt });
