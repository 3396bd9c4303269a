import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import { type Erasure } from '../../platform/erasure/index.js';
import { ErasureReportType, toErasureReport } from '../../erasure/index.js';
import {
  Needs,
  BigIntScalar,
  cost,
  fromGlobalId,
  inOrder,
  make,
  NodeType,
  toGlobalId,
  type GraphContext,
  type NodeRegistry,
} from '../../graphql-kit/index.js';
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

function toFile(row: StoredFileRow): FileType {
  const id = toGlobalId('File', row.id);
  const { name, mediaType, bytes, sha256 } = row;
  return make(FileType, { id, name, mediaType, bytes, sha256, path: `/files/${id}` });
}

/** Null where it was deleted. One statement for all that a request asks for. */
export async function loadFile(context: GraphContext, files: FileService, id: string): Promise<FileType | null> {
  const loader = context.loader<string, StoredFileRow>('data.filesById', async (ids) =>
    inOrder(ids, await files.find(context.workspaceId, { ids })),
  );
  const row = await loader.load(id);
  return row && toFile(row);
}

@InputType({ description: 'Which file to delete.' })
export class DeleteFileInput {
  @Field(() => ID, { description: 'Id of the file.' })
  file!: string;
}

@ObjectType({ description: 'What `deleteFile` did.' })
export class DeleteFilePayload {
  @Field(() => ErasureReportType, { description: 'Whether the file went, or what needs it.' })
  erasure!: ErasureReportType;
}

@Resolver()
export class FileResolver {
  constructor(private readonly data: { parts: { files: FileService; erasure: Erasure } }) {}

  @Needs('EDIT')
  @Mutation(() => DeleteFilePayload, {
    description: 'Deletes a file, unless a document, a dataset version, a model or an adapter needs it.',
    complexity: cost(10),
  })
  async deleteFile(
    @Arg('input', () => DeleteFileInput, { description: 'Which file.' }) input: DeleteFileInput,
    @Ctx() { caller, workspaceId }: GraphContext,
  ): Promise<DeleteFilePayload> {
    const { files, erasure } = this.data.parts;
    const { id } = await files.get(workspaceId, fromGlobalId(input.file, 'File', 'input.file'), 'input.file');
    const report = await erasure.eraseFile(workspaceId, id, caller.groups);
    return make(DeleteFilePayload, { erasure: toErasureReport(report) });
  }
}

/** Lets `node(id)` find files. */
export function registerFileNode(nodes: NodeRegistry, files: FileService): void {
  nodes.register('File', async ({ workspaceId }, id) => {
    const row = await files.get(workspaceId, id).catch(() => null);
    return row && toFile(row);
  });
}
