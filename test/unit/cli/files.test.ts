import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFilesAt, filesAt, MOST, namedDocuments } from '../../../src/cli/files.js';
import { MAX_FILES } from '../../../src/sources/data/datasets/dataset-service.js';
import { checkedDocumentName, INGESTION_LIMITS } from '../../../src/sources/knowledge/ingestion.js';
import { MANIFEST_LIMITS } from '../../../src/sources/sync/manifest.js';
import { itWhen } from '../../support/skip.js';

const taken = (work: () => unknown): boolean => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};

describe('names that files are given', () => {
  it.each([
    ['as long as may be', 'n'.repeat(INGESTION_LIMITS.name)],
    ['too long', 'n'.repeat(INGESTION_LIMITS.name + 1)],
    ['in two lines', 'a\nb.md'],
    ['with a control character', 'a\u0007.md'],
    ['that is read backwards', 'a\u202efdp.md'],
    ['of marks in two pieces', 'cafe\u0301.md'],
    ['with spaces around', ' note.md '],
  ])('are those that the gateway takes: %s', (_what, name) => {
    const file = { path: `folder/${name}`, bytes: 1 };
    expect(taken(() => namedDocuments([file]))).toBe(taken(() => checkedDocumentName(name, 'name')));
    if (taken(() => checkedDocumentName(name, 'name')))
      expect(namedDocuments([file])[0]!.name).toBe(checkedDocumentName(name, 'name'));
  });
});

describe('what is refused before it is sent', () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'graft-files-'))));
  afterEach(() => rm(folder, { recursive: true }));

  it('is what the gateway would refuse', () => {
    expect(MOST).toEqual({
      dataFiles: MAX_FILES,
      listedFiles: MANIFEST_LIMITS.items,
      documentBytes: INGESTION_LIMITS.fileBytes,
      name: INGESTION_LIMITS.name,
    });
  });

  it('is a file that is larger than a document may be', () => {
    const [largest, larger] = [0, 1].map((more) => ({ path: 'b.pdf', bytes: INGESTION_LIMITS.fileBytes + more }));
    expect(namedDocuments([largest!])).toHaveLength(1);
    expect(() => namedDocuments([{ path: 'a.pdf', bytes: 1 }, larger!])).toThrow(
      /^PAYLOAD_TOO_LARGE: b\.pdf has 67108865 bytes; /,
    );
  });

  it('are more files than a version of a dataset takes', async () => {
    const paths = Array.from({ length: MAX_FILES + 1 }, (_, index) => join(folder, `${index}.csv`));
    for (const path of paths) await writeFile(path, 'text,label');
    // One that is named twice is one.
    expect(await dataFilesAt([...paths.slice(1), paths[1]!])).toHaveLength(MAX_FILES);
    await expect(dataFilesAt(paths)).rejects.toThrow(/^BAD_USER_INPUT: 21 files are too many for a version: /);
  });

  itWhen(process.getuid?.() !== 0, 'root reads any file')('is a file that may not be read', async () => {
    const path = join(folder, 'secret.csv');
    await writeFile(path, 'text,label');
    await chmod(path, 0);
    await expect(filesAt([path])).rejects.toMatchObject({ code: 'EACCES' });
  });
});
