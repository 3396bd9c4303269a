import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { existsSync } from 'node:fs';

/**
 * Everything from this gateway, nothing inline but styles: the editor writes its styles into the page as it runs.
 * Workers and their modules are files of the bundle.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `/playground`: GraphiQL from the folder that the build made. Nothing is added where the folder does not exist. */
export async function addPlayground(server: FastifyInstance, folder: string | undefined): Promise<void> {
  if (folder === undefined || !existsSync(folder)) return;
  await server.register(fastifyStatic, {
    root: folder,
    prefix: '/playground/',
    decorateReply: false,
    setHeaders: (response) => {
      void response.setHeader('content-security-policy', CONTENT_SECURITY_POLICY);
      void response.setHeader('x-frame-options', 'DENY');
      void response.setHeader('referrer-policy', 'no-referrer');
    },
  });
  server.get('/playground', (_request, reply) => reply.redirect('/playground/'));
}
