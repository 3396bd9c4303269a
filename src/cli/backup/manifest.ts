import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { GraftError } from '../../kernel/errors.js';
import { isSha256 } from '../../kernel/hashing.js';
import { damagedBackup, noBackup } from './faults.js';

/** The numbered form of a backup: of its folders and files, and of the manifest itself. */
export const BACKUP_FORMAT = 1;

/** A name that says nothing to a file system or to SQL. */
const plainName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,150}$/);
const digest = z.string().refine((text): boolean => isSha256(text));
const whole = z.number().int().min(0);

/** A file of the backup: its path below the folder, and how it is as it lies there. */
const file = z.object({
  path: z
    .string()
    .regex(/^[a-z]+\/[A-Za-z0-9_.-]+$/)
    .refine((path) => !path.includes('..')),
  bytes: whole,
  sha256: digest,
});
export type BackupFile = z.infer<typeof file>;

const table = z.object({ name: plainName, columns: z.array(plainName), rows: whole, file });
export type TableInBackup = z.infer<typeof table>;

const index = z.object({
  workspaceId: z.guid(),
  indexId: z.guid(),
  dimensions: z.number().int().min(1),
  records: whole,
  file,
});
export type IndexInBackup = z.infer<typeof index>;

const manifest = z.object({
  format: z.literal(BACKUP_FORMAT),
  /** Of the program that wrote it. */
  graft: z.string(),
  createdAt: z.string(),
  /** What had been applied to the database, oldest first, with the checksums of Prisma. */
  migrations: z.array(z.object({ name: plainName, checksum: digest })).min(1),
  tables: z.array(table),
  sequences: z.array(
    z.object({
      name: plainName,
      last: z
        .string()
        .regex(/^-?\d+$/)
        .nullable(),
    }),
  ),
  /** Files of users and of Graft; each lies under its digest. */
  artifacts: z.array(z.object({ sha256: digest, bytes: whole })),
  /** Artifacts that rows name and that could not be read when the backup was made. */
  lost: z.array(digest),
  /** Null where vectors weren't asked for. */
  vectors: z.array(index).nullable(),
});
export type BackupManifest = z.infer<typeof manifest>;

const pathOf = (folder: string): string => join(folder, 'manifest.json');
const partOf = (folder: string): string => `${pathOf(folder)}.part`;

/** Takes a folder for one backup: what lies there from now on becomes its manifest. @returns false where another backup has taken it */
export async function claimFolder(folder: string): Promise<boolean> {
  try {
    await (await open(partOf(folder), 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Gives back what `claimFolder` took. */
export const leaveFolder = (folder: string): Promise<void> => rm(partOf(folder), { force: true });

/** Makes the folder a backup: the manifest is there whole or not at all, and comes last. */
export async function writeManifest(folder: string, value: BackupManifest): Promise<void> {
  await writeSynced(partOf(folder), `${JSON.stringify(value, null, 1)}\n`);
  await rename(partOf(folder), pathOf(folder));
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * @throws SETUP_FAILED where there is no backup, or one of a later version of Graft; STORAGE_FAILED where its manifest is damaged
 */
export async function readManifest(folder: string): Promise<BackupManifest> {
  const text = await readFile(pathOf(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw noBackup(folder);
    throw error;
  });
  const json = parsed(text, folder);
  const { format, graft } = json as { format?: unknown; graft?: unknown };
  if (typeof format === 'number' && format > BACKUP_FORMAT)
    throw new GraftError('SETUP_FAILED', `The backup has format ${format}; this release reads 1 to ${BACKUP_FORMAT}.`, {
      hint: `Restore it with the release that wrote it (${String(graft)}), or a later one.`,
    });
  const result = manifest.safeParse(json);
  if (!result.success) throw damagedBackup(folder, `manifest.json: ${result.error.issues[0]?.path.join('.') ?? ''}`);
  return result.data;
}

function parsed(text: string, folder: string): unknown {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null) return json;
  } catch {
    // Told below.
  }
  throw damagedBackup(folder, 'manifest.json is no JSON');
}
