import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Stands in the built page where each response has its own nonce. */
const NONCE = '__CSP_NONCE__';

/** The provider by which the console signs in: an OpenID issuer, and the public client that it is there. */
export interface ConsoleSignIn {
  issuer: string;
  clientId: string;
  /** What it asks for, separated by spaces. */
  scope: string;
  /** Origins beside the issuer's where tokens are given and taken back, as the provider says now. */
  tokenOrigins: () => Promise<readonly string[]>;
}

/** Everything from this gateway, but for tokens from where people sign in; nothing inline but the styles that the page's own components make as they run. */
const contentSecurityPolicy = (nonce: string, provider: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    // Widths of bars and places of menus are style attributes; they can't load anything.
    "style-src-attr 'unsafe-inline'",
    "font-src 'self'",
    "img-src 'self' data: blob:",
    ['connect-src', "'self'", ...provider].join(' '),
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/**
 * The console at `/`: a single page that finds its own way, so that every address that nothing else answers is served with
 * it when a browser asks for a document. Its files, named by their content, are at `/console/`. Nothing is added where the
 * build made no folder.
 */
export async function addConsole(
  server: FastifyInstance,
  folder: string | undefined,
  signIn: ConsoleSignIn | null = null,
): Promise<void> {
  if (folder === undefined || !existsSync(join(folder, 'index.html'))) return;
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  const settings = signIn && { issuer: signIn.issuer, clientId: signIn.clientId, scope: signIn.scope };
  server.get('/sign-in.json', (_request, reply) =>
    reply.header('cache-control', 'no-store').type('application/json').send(JSON.stringify(settings)),
  );
  const send = async (reply: FastifyReply) => {
    const provider = signIn ? [new URL(signIn.issuer).origin, ...(await signIn.tokenOrigins())] : [];
    const nonce = randomBytes(16).toString('base64');
    return reply
      .header('content-security-policy', contentSecurityPolicy(nonce, provider))
      .header('x-frame-options', 'DENY')
      .header('referrer-policy', 'no-referrer')
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(page.replaceAll(NONCE, nonce));
  };
  await server.register(fastifyStatic, {
    root: folder,
    prefix: '/console/',
    decorateReply: false,
    index: false,
    immutable: true,
    maxAge: '365d',
  });
  server.get('/', (_request, reply) => send(reply));
  server.get('/*', (request, reply) =>
    request.headers.accept?.startsWith('text/html') ? send(reply) : reply.callNotFound(),
  );
}
