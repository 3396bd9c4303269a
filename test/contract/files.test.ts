import { createHash, randomBytes } from 'node:crypto';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';

const UPLOAD: Record<string, string> = { 'graft-upload': '1' };
const ONE_FORM_EACH = 'Send each file in a form of its own, and nothing else in it.';

describe('POST /files', () => {
  let gateway: ProbeGateway;
  beforeAll(async () => {
    gateway = await startProbeGateway({ maxUploadBytes: 1_000_000 });
  });
  afterAll(() => gateway.close(100));

  async function upload(content: Uint8Array, { name = 'notes.md', type = 'text/markdown', headers = UPLOAD } = {}) {
    const form = new FormData();
    form.append('file', new Blob([content as Uint8Array<ArrayBuffer>], { type }), name);
    const response = await fetch(`${gateway.url}/files`, { method: 'POST', headers, body: form });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  }

  it('stores the bytes as they are and answers with id, name, size and digest', async () => {
    const content = randomBytes(700_000);
    const { status, json } = await upload(content);
    expect(status).toBe(201);
    expect(json).toEqual({
      id: expect.stringMatching(/^[\w-]+$/),
      name: 'notes.md',
      mediaType: 'text/markdown',
      bytes: 700_000,
      sha256: createHash('sha256').update(content).digest('hex'),
    });
    expect(Buffer.from(json['id'] as string, 'base64url').toString()).toMatch(/^File:[0-9a-f-]{36}$/);
  });

  it('keeps of a path only the last name', async () => {
    expect((await upload(Buffer.from('x'), { name: '../../etc/passwd' })).json['name']).toBe('passwd');
    expect((await upload(Buffer.from('x'), { name: 'C:\\Users\\a\\b.txt' })).json['name']).toBe('b.txt');
  });

  it('takes a file without a name', async () => {
    const { status, json } = await upload(Buffer.from('x'), { name: '', type: 'application/octet-stream' });
    expect([status, json['name']]).toEqual([201, 'file']);
  });

  it('refuses a file beyond the limit, whether or not its size was declared', async () => {
    for (const size of [1_000_001, 1_500_000]) {
      const { status, json } = await upload(Buffer.alloc(size));
      expect([status, json['errors']]).toMatchObject([413, [{ extensions: { code: 'PAYLOAD_TOO_LARGE' } }]]);
    }
    expect((await upload(Buffer.alloc(1_000_000))).status).toBe(201);
  });

  it('asks for a header that no form of another page can send', async () => {
    const { status, json } = await upload(Buffer.from('x'), { headers: {} });
    expect([status, json['errors']]).toMatchObject([400, [{ extensions: { code: 'BAD_REQUEST' } }]]);
  });

  it('keeps nothing of a form with more than one file, and says what to do', async () => {
    const kept = gateway.stored.length;
    const first = () => {
      const form = new FormData();
      form.append('file', new Blob([randomBytes(100_000)]), 'a.md');
      return form;
    };
    const [same, other, field] = [first(), first(), first()];
    same.append('file', new Blob(['b']), 'b.md');
    other.append('second', new Blob([randomBytes(100_000)]), 'b.md');
    field.append('note', 'no file');
    for (const body of [same, other, field]) {
      const response = await fetch(`${gateway.url}/files`, { method: 'POST', headers: UPLOAD, body });
      expect([response.status, await response.json()]).toMatchObject([
        400,
        {
          errors: [
            {
              message: 'The form holds more than one file or field.',
              extensions: { code: 'BAD_USER_INPUT', hint: ONE_FORM_EACH },
            },
          ],
        },
      ]);
    }
    expect(gateway.stored).toHaveLength(kept);
    expect((await upload(Buffer.from('x'))).status).toBe(201);
  });

  it('names what is wrong with a form', async () => {
    const headers = { 'graft-upload': '1' };
    const fields = new FormData();
    fields.append('note', 'no file');
    const attempts: [BodyInit, Record<string, string>][] = [
      ['plain', { ...headers, 'content-type': 'application/json' }],
      [new FormData(), headers],
      [
        '--x\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\ncut sho',
        { ...headers, 'content-type': 'multipart/form-data; boundary=x' },
      ],
      [
        '--x\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\nwhole\r\n--x',
        { ...headers, 'content-type': 'multipart/form-data; boundary=x' },
      ],
      ['no boundary', { ...headers, 'content-type': 'multipart/form-data' }],
      ['no part', { ...headers, 'content-type': 'multipart/form-data; boundary=x' }],
      [fields, headers],
    ];
    for (const [body, sent] of attempts) {
      const response = await fetch(`${gateway.url}/files`, { method: 'POST', headers: sent, body });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
    }
  });
});
