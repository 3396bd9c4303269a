import type { FastifyInstance } from 'fastify';
import type { Readable } from 'node:stream';
import type { WorkspaceId } from '../kernel/ids.js';
import { fromGlobalId } from '../graphql-kit/index.js';
import { identifyCaller } from '../platform/access/index.js';

/** Where files come from: `FileService` of the artifact store. */
export interface FileSource {
  /** @throws NOT_FOUND */
  open(workspaceId: WorkspaceId, id: string): Promise<{ name: string; bytes: bigint | number; content: Readable }>;
}

/** The name for `content-disposition` (RFC 6266): ASCII for old clients, UTF-8 for the rest. */
function disposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\]/g, '_');
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/**
 * `GET /files/<id>`: the bytes of a file, as an attachment of no particular type: whatever somebody uploaded, no browser
 * shows or runs it here. The stream breaks off when the bytes turn out not to have their digest.
 */
export function addDownloads(server: FastifyInstance, files: FileSource): void {
  server.get<{ Params: { id: string } }>('/files/:id', async (request, reply) => {
    const id = fromGlobalId(request.params.id, 'File', 'id');
    const { name, bytes, content } = await files.open(identifyCaller().workspaceId, id);
    return reply
      .header('content-type', 'application/octet-stream')
      .header('content-length', String(bytes))
      .header('content-disposition', disposition(name))
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', 'no-store')
      .send(content);
  });
}
