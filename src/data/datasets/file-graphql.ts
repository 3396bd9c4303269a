import { Field, ObjectType } from 'type-graphql';
import { BigIntScalar, make, NodeType, toGlobalId, type NodeRegistry } from '../../graphql-kit/index.js';
import type { FileService, StoredFileRow } from '../../platform/artifacts/index.js';

@ObjectType('File', { implements: NodeType, description: 'A file that was uploaded or that Graft made.' })
export class FileType extends NodeType {
  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => String, { description: 'Its media type.' })
  mediaType!: string;

  @Field(() => BigIntScalar, { description: 'Its size in bytes.' })
  bytes!: bigint;

  @Field(() => String, { description: 'SHA-256 of its bytes, 64 hexadecimal digits.' })
  sha256!: string;

  @Field(() => String, { description: 'Path to download it from on this server: `GET /files/<id>`.' })
  path!: string;
}

export function toFile(row: StoredFileRow): FileType {
  const id = toGlobalId('File', row.id);
  const { name, mediaType, bytes, sha256 } = row;
  return make(FileType, { id, name, mediaType, bytes, sha256, path: `/files/${id}` });
}

/** Lets `node(id)` find files. */
export function registerFileNode(nodes: NodeRegistry, files: FileService): void {
  nodes.register('File', async ({ workspaceId }, id) => {
    const row = await files.get(workspaceId, id).catch(() => null);
    return row && toFile(row);
  });
}
