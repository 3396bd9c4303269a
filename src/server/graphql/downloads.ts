import type { FastifyInstance } from 'fastify';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { GraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { fromGlobalId } from '../../kit/graphql/index.js';

/** Where files come from: `FileService` of the artifact store. */
export interface DownloadSource {
  /** @throws NOT_FOUND; `content` throws STORAGE_FAILED when the bytes are damaged */
  open(
    workspaceId: WorkspaceId,
    id: string,
  ): Promise<{ name: string; bytes: bigint | number; content: () => Promise<Readable> }>;
}

interface DownloadParts {
  files: DownloadSource;
  isDraining: () => boolean;
  /** Holds up the end of draining until the promise is settled. */
  underWay: <T>(work: Promise<T>) => Promise<T>;
}

/** The name for `content-disposition` (RFC 6266): ASCII for old clients, UTF-8 for the rest. */
function disposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\]/g, '_');
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/**
 * `GET /files/<id>`: the bytes of a file, as an attachment of no particular type: whatever somebody uploaded, no browser
 * shows or runs it here. Damaged bytes are refused before the first one is sent, and the stream breaks off short of its
 * length when they are damaged meanwhile. The digest is the whole file's, so there are no ranges.
 */
export function addDownloads(server: FastifyInstance, { files, isDraining, underWay }: DownloadParts): void {
  server.get<{ Params: { id: string } }>('/files/:id', { config: { role: 'EDIT' } }, async (request, reply) => {
    if (isDraining()) throw new GraftError('SHUTTING_DOWN', 'The gateway is shutting down.');
    const id = fromGlobalId(request.params.id, 'File', 'id');
    const { name, bytes, content } = await files.open(request.caller.workspaceId, id);
    const body = request.method === 'HEAD' ? Readable.from([]) : await content();
    void underWay(finished(reply.raw).catch(() => undefined));
    return reply
      .header('content-type', 'application/octet-stream')
      .header('content-length', String(bytes))
      .header('accept-ranges', 'none')
      .header('content-disposition', disposition(name))
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', 'no-store')
      .send(body);
  });
}
