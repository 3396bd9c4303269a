import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createDeflate } from 'node:zlib';
import { sha256 } from '../../../src/kernel/hashing.js';
import { IsolatedParser } from '../../../src/sources/knowledge/index.js';
import { docx, docxParagraph } from '../../unit/knowledge/files.js';

describe('IsolatedParser', () => {
  let folder: string;
  const parsers: IsolatedParser[] = [];
  const parser = (options: ConstructorParameters<typeof IsolatedParser>[0] = {}) => {
    const made = new IsolatedParser(options);
    parsers.push(made);
    return made;
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-parse-'));
  });
  afterAll(async () => {
    parsers.forEach((made) => made.close());
    await rm(folder, { recursive: true, force: true });
  });
  const file = async (content: string | Buffer) => {
    const bytes = Buffer.from(content as string);
    const path = join(folder, sha256(bytes));
    await writeFile(path, bytes);
    return [path, sha256(bytes)] as const;
  };

  it('parses and chunks in a process of its own', async () => {
    const { document, chunks } = await parser().parse(...(await file('# A\n\nText.')), {
      name: 'a.md',
      mediaType: null,
    });
    expect(document).toMatchObject({ format: 'markdown', title: 'A', text: 'A\n\nText.' });
    expect(chunks).toMatchObject([{ ordinal: 0, text: 'A\n\nText.', headings: ['A'] }]);
  });

  it('passes the parsers’ errors on with their codes', async () => {
    await expect(parser().parse(...(await file('x')), { name: 'a.pdf', mediaType: null })).rejects.toMatchObject({
      code: 'DOCUMENT_UNREADABLE',
    });
  });

  it('refuses a file that is not the one that was stored', async () => {
    const [path] = await file('one');
    await expect(parser().parse(path, sha256('two'), { name: 'a.txt', mediaType: null })).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
    });
  });

  it('kills a document that takes too long, and goes on with the next', async () => {
    const impatient = parser({ timeoutMs: 300 });
    const slow = await file('word '.repeat(900_000) + '\n\n' + '[a](b '.repeat(50_000));
    const claim = { name: 'slow.md', mediaType: null };
    await expect(impatient.parse(...slow, claim)).rejects.toMatchObject({
      code: 'DOCUMENT_UNREADABLE',
      message: expect.stringContaining('took more than 0.3 s'),
    });
    const patient = parser();
    expect((await patient.parse(...(await file('fine')), { name: 'a.txt', mediaType: null })).document.text).toBe(
      'fine',
    );
  });

  it('survives a document that eats all memory', async () => {
    const greedy = parser();
    const bomb = docx('<w:p><w:r><w:t>a</w:t></w:r></w:p>'.repeat(3_000_000));
    expect(bomb.length).toBeLessThan(2_000_000);
    await expect(greedy.parse(...(await file(bomb)), { name: 'a.docx', mediaType: null })).rejects.toMatchObject({
      code: 'DOCUMENT_UNREADABLE',
      message: expect.stringContaining('memory'),
    });
    const next = await greedy.parse(...(await file(docx(docxParagraph('fine')))), { name: 'b.docx', mediaType: null });
    expect(next.document.text).toBe('fine');
  }, 120_000);

  it('survives a PDF whose stream inflates to a gigabyte', async () => {
    const deflate = createDeflate({ level: 1 });
    const stream = buffer(deflate);
    const blank = Buffer.alloc(64 * 1024 * 1024, ' ');
    for (let i = 0; i < 16; i += 1) await new Promise((resolve) => deflate.write(blank, resolve));
    deflate.end();
    const content = await stream;
    expect(content.length).toBeLessThan(8_000_000);
    const head = `%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R>>endobj 4 0 obj<</Filter/FlateDecode/Length ${content.length}>>stream\n`;
    const bomb = Buffer.concat([Buffer.from(head), content, Buffer.from('\nendstream endobj trailer<</Root 1 0 R>>')]);
    const outcome = await parser({ timeoutMs: 8_000 })
      .parse(...(await file(bomb)), { name: 'a.pdf', mediaType: null })
      .catch((error: { code: string }) => error);

    expect(outcome).toMatchObject({ code: 'DOCUMENT_UNREADABLE' });
  }, 240_000);

  it('can be cancelled', async () => {
    const abort = new AbortController();
    const parsing = parser().parse(...(await file('# A')), { name: 'a.md', mediaType: null }, { signal: abort.signal });
    abort.abort();
    await expect(parsing).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
