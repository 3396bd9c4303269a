import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { z } from 'zod';
import { type Erasure } from '../../../platform/erasure/index.js';
import { ErasureReportType, toErasureReport } from '../../../kit/erasure/index.js';
import {
  Needs,
  cost,
  fromGlobalId,
  make,
  toGlobalId,
  type GraphContext,
  type NodeRegistry,
  nodeType,
  inputType,
  ofType,
  objectType,
  loadRow,
} from '../../../kit/graphql/index.js';
import type { FileService, StoredFileRow } from '../../../platform/artifacts/index.js';
import { string, id } from '../../../kernel/record.js';

export const FileType = nodeType('File', 'A file that was uploaded or that Graft made.', {
  name: string('Its name.'),
  mediaType: string('Its media type.'),
  bytes: z.bigint().describe('Its size in bytes.'),
  sha256: string('SHA-256 of its bytes, 64 hexadecimal digits.'),
  path: string('Path to download it from on this server: `GET /files/<id>`.'),
});
export type FileType = InstanceType<typeof FileType>;

function toFile(row: StoredFileRow): FileType {
  const id = toGlobalId('File', row.id);
  const { name, mediaType, bytes, sha256 } = row;
  return make(FileType, { id, name, mediaType, bytes, sha256, path: `/files/${id}` });
}

/** Null where it was deleted. One statement for all that a request asks for. */
export async function loadFile(context: GraphContext, files: FileService, id: string | null): Promise<FileType | null> {
  const row = await loadRow(context, 'data.filesById', id, (ids) => files.find(context.workspaceId, { ids }));
  return row && toFile(row);
}

const DeleteFileInput = inputType('DeleteFileInput', 'Which file to delete.', {
  file: id('Id of the file.'),
});
type DeleteFileInput = InstanceType<typeof DeleteFileInput>;

const DeleteFilePayload = objectType('DeleteFilePayload', 'What `deleteFile` did.', {
  erasure: ofType(() => ErasureReportType).describe('Whether the file went, or what needs it.'),
});
type DeleteFilePayload = InstanceType<typeof DeleteFilePayload>;

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
