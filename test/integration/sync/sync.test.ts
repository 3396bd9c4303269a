import { newId } from '../../../src/kernel/ids.js';
import { MINUTE_MS } from '../../../src/kernel/duration.js';
import { AlertService } from '../../../src/operate/monitoring/alerts/alert-service.js';
import { AlertStore } from '../../../src/operate/monitoring/alerts/alert-store.js';
import { staleSources } from '../../../src/operate/monitoring/alerts/stale-sources.js';
import { WebhookStore } from '../../../src/operate/monitoring/webhooks/webhook-store.js';
import { EventLog } from '../../../src/platform/events/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { BROKEN, startSync, type Files, type Sync } from './harness.js';

/** Of bytes that no other test deletes meanwhile: a deletion takes every file with them along. */
const wiki = (draw = newId()): Files => ({
  'home.md': `# Home ${draw}\n\nThe office opens at eight.`,
  'rules/travel.md': `# Travel ${draw}\n\nTrains are booked two weeks before.`,
  'rules/leave.md': `# Leave ${draw}\n\nThirty days a year may be taken.`,
  'menu.txt': `On Friday the canteen serves fish (${draw}).`,
});

const without = (files: Files, ...paths: string[]): Files =>
  Object.fromEntries(Object.entries(files).filter(([path]) => !paths.includes(path)));

describe('a source that a client lists', () => {
  let kit: Sync;
  beforeAll(async () => {
    kit = await startSync();
  }, 120_000);
  afterAll(() => kit.stop());

  let WIKI: Files;
  beforeEach(() => (WIKI = wiki()));
  const names = async (collection: string) => (await kit.state(collection)).map(({ name }) => name);

  it('asks for what is new or changed, and leaves what a fresh ingestion of all would have made', async () => {
    const source = await kit.source();
    expect((await kit.push(source, WIKI)).names.sort()).toEqual(Object.keys(WIKI).sort());

    const before = await kit.ingestions();
    const again = await kit.push(source, WIKI);
    expect(again.names).toEqual([]);
    expect(again.comparison.unchanged).toHaveLength(4);
    expect(await kit.ingestions()).toBe(before);

    const later: Files = {
      ...without(WIKI, 'menu.txt', 'rules/leave.md'),
      'home.md': '# Home\n\nThe office opens at nine.',
      'rules/holidays.md': WIKI['rules/leave.md']!,
    };
    const { names: wanted, comparison, committed } = await kit.push(source, later);
    expect(wanted.sort()).toEqual(['home.md', 'rules/holidays.md']);
    expect(comparison.gone.map(({ path }) => path).sort()).toEqual(['menu.txt', 'rules/leave.md']);
    expect(committed).toMatchObject({ gone: 2, isOpen: false });

    const fresh = await kit.collection();
    await kit.ingestFiles(fresh.name, later);
    expect(await kit.state(source.collection)).toEqual(await kit.state(fresh.name));
    expect((await kit.told(source)).counts).toEqual({ in: 3, failed: 0, empty: 0 });
  });

  it('has an old version seen until the new one is there, and what is gone until the commit', async () => {
    const source = await kit.source();
    await kit.push(source, WIKI);
    const before = await kit.state(source.collection);
    const later = { ...without(WIKI, 'menu.txt'), 'home.md': 'The office is closed.' };
    const items = kit.itemsOf(later);
    const { syncId } = await kit.sync.openManifest(kit.caller, { source: source.name, items, retryFailed: false });
    expect(await kit.state(source.collection)).toEqual(before);
    const commit = () => kit.sync.commit(kit.caller, { syncId, acceptLoss: false });
    await expect(commit()).rejects.toMatchObject({
      code: 'CONFLICT',
      message: '1 items were neither ingested nor refused: "home.md".',
    });
    expect(await kit.state(source.collection)).toEqual(before);
    await kit.ingestFiles(source.collection, later, ['home.md']);
    expect(await names(source.collection)).toContain('menu.txt');
    expect((await kit.told(source)).counts.in).toBe(4);
    const committed = await commit();
    expect(await names(source.collection)).not.toContain('menu.txt');
    // Whoever didn't hear of it asks again.
    expect(await commit()).toEqual(committed);
  });

  it('raises an alert when two of its intervals went by without a sync, and resolves it with the next one', async () => {
    const { database, workspaceId } = kit;
    const store = new AlertStore(database);
    const events = new EventLog({ database, log: silentLogger() });
    const alerts = new AlertService({ database, alerts: store, webhooks: new WebhookStore(database), events });
    const look = async (afterMinutes: number) => {
      await alerts.hold('SOURCE', await staleSources(kit, new Date(Date.now() + afterMinutes * MINUTE_MS)));
      await alerts.settle();
      const rows = await database.prisma.alert.findMany({ where: { workspaceId }, orderBy: { id: 'asc' } });
      return rows.map(({ status, times, sentence }) => ({ status, times, sentence }));
    };
    const [source, other] = [await kit.source({ everyMinutes: 60 }), await kit.source()];
    await kit.push(source, WIKI);
    expect(await look(119)).toEqual([]);
    const sentence = expect.stringContaining(`The source ${source.name} was synced last at 20`);
    const raised = { status: 'OPEN', times: 1, sentence };
    expect(await look(121)).toEqual([raised]);
    expect(await look(122)).toEqual([raised]);
    await kit.push(source, WIKI);
    const resolved = { ...raised, status: 'RESOLVED' };
    expect(await look(1)).toEqual([resolved]);
    // One that is forgotten is no longer late.
    expect(await look(500)).toEqual([resolved, raised]);
    await kit.sync.remove(workspaceId, source.name);
    expect(await look(501)).toEqual([resolved, resolved]);
    expect((await kit.told(other)).row.everyMinutes).toBeNull();
    await events.close();
  });

  it('deletes nothing by a list of nothing, or of less than half, unless a person says so', async () => {
    const source = await kit.source();
    await kit.push(source, WIKI);
    const before = await kit.state(source.collection);
    await expect(kit.push(source, {})).rejects.toMatchObject({
      code: 'CONFLICT',
      field: 'input.acceptLoss',
      message: '4 of the source’s 4 documents would go, so nothing was deleted.',
      hint: expect.stringContaining('acceptLoss: true'),
    });
    const [home] = Object.entries(WIKI);
    await expect(kit.push(source, Object.fromEntries([home!]))).rejects.toMatchObject({
      message: '3 of the source’s 4 documents would go, so nothing was deleted.',
    });
    // As many others in their place are a loss as well: the wrong folder was read.
    const others = Object.fromEntries(Array.from({ length: 4 }, (_, i) => [`${i}.txt`, `Other text ${i}.`]));
    await expect(kit.push(source, others)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect((await kit.state(source.collection)).filter(({ name }) => name in WIKI)).toEqual(before);

    const moved = Object.fromEntries(Object.entries(WIKI).map(([path, content]) => [`2026/${path}`, content]));
    expect((await kit.push(source, moved)).committed.gone).toBe(8);
    expect(await names(source.collection)).toEqual(Object.keys(moved).sort());
    expect((await kit.push(source, {}, { acceptLoss: true })).committed.gone).toBe(4);
    expect(await names(source.collection)).toEqual([]);
  });

  it('says of each file that is no document why, and doesn’t ask for it again', async () => {
    const source = await kit.source();
    await kit.push(source, { ...WIKI, ...BROKEN });
    expect(await kit.told(source)).toMatchObject({
      counts: { in: 4, failed: 2, empty: 2 },
      failures: [
        { path: 'blank.md', reason: 'The document holds no text.' },
        { path: 'broken.pdf', reason: expect.stringContaining('PDF') },
        { path: 'deep/broken.docx', reason: expect.any(String) },
        { path: 'empty.txt', reason: 'The file is empty (0 bytes).' },
      ],
    });
    expect((await kit.push(source, { ...WIKI, ...BROKEN })).names).toEqual([]);
    const items = kit.itemsOf({ ...WIKI, ...BROKEN });
    const retried = await kit.sync.openManifest(kit.caller, { source: source.name, items, retryFailed: true });
    expect(retried.comparison.new.map(({ path }) => path).sort()).toEqual(Object.keys(BROKEN).sort());
  });

  it('lets go of a version in whose place something came that is no document', async () => {
    const source = await kit.source();
    await kit.push(source, WIKI);
    await kit.push(source, { ...WIKI, 'home.md': ' ' });
    expect(await names(source.collection)).toEqual(Object.keys(without(WIKI, 'home.md')).sort());
    expect(await kit.told(source)).toMatchObject({ counts: { in: 3, failed: 0, empty: 1 } });
  });

  it('keeps a version in whose place something came that the client couldn’t read', async () => {
    const source = await kit.source();
    await kit.push(source, WIKI);
    const items = [
      ...kit.itemsOf(without(WIKI, 'home.md')),
      { path: 'home.md', unreadable: 'It can’t be read (EACCES).' },
      { path: `${'long/'.repeat(50)}name.md`, sha256: 'a'.repeat(64) },
      { path: 'film.md', sha256: 'b'.repeat(64), bytes: 1e9 },
    ];
    const { syncId } = await kit.sync.openManifest(kit.caller, { source: source.name, items, retryFailed: false });
    await kit.sync.commit(kit.caller, { syncId, acceptLoss: false });
    expect(await names(source.collection)).toEqual(Object.keys(WIKI).sort());
    const { counts, failures } = await kit.told(source);
    expect(counts).toEqual({ in: 3, failed: 3, empty: 0 });
    expect(failures.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('1000000000 bytes'),
      'It can’t be read (EACCES).',
      expect.stringContaining('can’t name a document'),
    ]);
    expect((await kit.push(source, WIKI)).names).toEqual([]);
    expect((await kit.told(source)).counts).toEqual({ in: 4, failed: 0, empty: 0 });
  });

  it('tells versions apart by ETags where nobody knows digests', async () => {
    const source = await kit.source();
    const open = (etags: Record<string, string>) =>
      kit.sync.openManifest(kit.caller, {
        source: source.name,
        items: Object.entries(etags).map(([path, etag]) => ({ path, etag })),
        retryFailed: false,
      });
    const first = await open({ 'a.txt': '1', 'b.txt': '1' });
    await kit.ingestFiles(source.collection, { 'a.txt': 'One.', 'b.txt': 'Two.' });
    await kit.sync.commit(kit.caller, { syncId: first.syncId, acceptLoss: false });
    const second = await open({ 'a.txt': '1', 'b.txt': '2' });
    expect(second.comparison.changed.map(({ path }) => path)).toEqual(['b.txt']);
    const commit = () => kit.sync.commit(kit.caller, { syncId: second.syncId, acceptLoss: false });
    await expect(commit()).rejects.toMatchObject({ code: 'CONFLICT' });
    await kit.ingestFiles(source.collection, { 'b.txt': 'Two and a half.' });
    await commit();
    expect((await open({ 'a.txt': '1', 'b.txt': '2' })).comparison.unchanged).toHaveLength(2);
  });

  it('forgets a sync when the next one is opened, and what that one asked for in vain is gone', async () => {
    const source = await kit.source();
    await kit.push(source, WIKI);
    const more = { ...WIKI, 'late.md': 'Nobody committed this.' };
    const lost = await kit.sync.openManifest(kit.caller, {
      source: source.name,
      items: kit.itemsOf(more),
      retryFailed: false,
    });
    await kit.ingestFiles(source.collection, more, ['late.md']);
    await kit.push(source, WIKI);
    expect(await names(source.collection)).toEqual(Object.keys(WIKI).sort());
    await expect(kit.sync.commit(kit.caller, { syncId: lost.syncId, acceptLoss: false })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: expect.stringContaining('Begin again'),
    });
  });

  it('waits with the commit for what is still being ingested: nothing comes after it', async () => {
    const source = await kit.source();
    kit.vectors.away = true;
    try {
      const { syncId } = await kit.sync.openManifest(kit.caller, {
        source: source.name,
        items: kit.itemsOf({ 'a.txt': 'Late.' }),
        retryFailed: false,
      });
      const { id } = await kit.upload('a.txt', Buffer.from('Late.'));
      const run = await kit.knowledge.service.ingestDocuments(kit.caller, {
        collection: source.collection,
        documents: [{ name: 'a.txt', fileId: id as never }],
        idempotencyKey: newId(),
      });
      const commit = () => kit.sync.commit(kit.caller, { syncId, acceptLoss: false });
      await expect(commit()).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('still being ingested'),
      });
      kit.vectors.away = false;
      await kit.finished(run);
      await commit();
      expect(await names(source.collection)).toEqual(['a.txt']);
    } finally {
      kit.vectors.away = false;
    }
  });

  it('leaves alone what others brought into the collection, until it lists that itself', async () => {
    const source = await kit.source();
    await kit.ingestFiles(source.collection, { 'by-hand.md': 'By hand.', 'home.md': WIKI['home.md']! });
    expect((await kit.push(source, WIKI)).names).not.toContain('home.md');
    // A list that nobody commits makes nothing its own.
    const items = kit.itemsOf({ ...WIKI, 'by-hand.md': 'By hand.' });
    await kit.sync.openManifest(kit.caller, { source: source.name, items, retryFailed: false });
    await kit.push(source, without(WIKI, 'home.md'));
    expect(await names(source.collection)).toEqual(['by-hand.md', 'menu.txt', 'rules/leave.md', 'rules/travel.md']);
    const another = await kit.sync.create(kit.workspaceId, {
      name: `s${newId().slice(-12)}`,
      collection: source.collection,
      kind: 'MANIFEST',
      labelled: false,
    });
    await expect(
      kit.push({ ...another, collection: source.collection }, { 'menu.txt': 'Soup.' }),
    ).rejects.toMatchObject({ code: 'CONFLICT', message: `The source ${source.name} has "menu.txt", too.` });
  });

  it('says which of its documents others deleted since, and brings them back', async () => {
    const source = await kit.source();
    await kit.push(source, WIKI);
    await kit.knowledge.service.deleteDocuments(kit.caller, { collection: source.collection, names: ['home.md'] });
    expect(await kit.told(source)).toMatchObject({
      counts: { in: 3, failed: 1, empty: 0 },
      failures: [{ path: 'home.md', reason: expect.stringContaining('replaced or deleted since') }],
    });
    expect((await kit.push(source, WIKI)).names).toEqual(['home.md']);
    expect((await kit.told(source)).counts).toEqual({ in: 4, failed: 0, empty: 0 });
  });

  it('is found, deleted and made again without a document moving', async () => {
    const source = await kit.source();
    await kit.push(source, WIKI);
    const before = await kit.state(source.collection);
    await kit.sync.remove(kit.workspaceId, source.name);
    expect(await kit.state(source.collection)).toEqual(before);
    await kit.sync.create(kit.workspaceId, { ...source, kind: 'MANIFEST' });
    expect((await kit.push(source, WIKI)).names).toEqual([]);
    expect((await kit.told(source)).counts.in).toBe(4);
  });

  describe('with groups', () => {
    it('shows an item without groups to nobody, from its first moment', async () => {
      const source = await kit.source({ labelled: true });
      const access = { 'home.md': ['staff'], 'menu.txt': ['staff', 'guests'] };
      const items = kit.itemsOf(WIKI, access);
      const { syncId } = await kit.sync.openManifest(kit.caller, { source: source.name, items, retryFailed: false });
      await kit.ingestFiles(source.collection, WIKI);
      for (const _ of ['before the commit', 'after it']) {
        expect(await kit.seenBy(source.collection, ['staff'])).toEqual(['home.md', 'menu.txt']);
        expect(await kit.seenBy(source.collection, ['guests'])).toEqual(['menu.txt']);
        expect(await kit.seenBy(source.collection, [])).toEqual([]);
        expect(await kit.seenBy(source.collection, ['nobody'])).toEqual([]);
        expect(await kit.seenBy(source.collection, null)).toEqual(Object.keys(WIKI).sort());
        await kit.sync.commit(kit.caller, { syncId, acceptLoss: false });
      }
    });

    it('changes groups at the commit, without ingesting again', async () => {
      const source = await kit.source({ labelled: true });
      const all = (groups: string[]) => Object.fromEntries(Object.keys(WIKI).map((path) => [path, groups]));
      await kit.push(source, WIKI, { access: all(['staff']) });
      const before = await kit.ingestions();
      const { comparison } = await kit.push(source, WIKI, { access: { ...all(['staff']), 'home.md': ['board'] } });
      expect(comparison.relabelled.map(({ path }) => path)).toEqual(['home.md']);
      expect(await kit.ingestions()).toBe(before);
      expect(await kit.seenBy(source.collection, ['board'])).toEqual(['home.md']);
      expect(await kit.seenBy(source.collection, ['staff'])).not.toContain('home.md');
      await kit.push(source, WIKI);
      expect(await kit.seenBy(source.collection, ['staff', 'board'])).toEqual([]);
    });

    it('shows neither version of a document to who may see the other one alone', async () => {
      const source = await kit.source({ labelled: true });
      await kit.push(source, { 'plan.md': 'Old plan.' }, { access: { 'plan.md': ['old', 'both'] } });
      const later = { 'plan.md': 'New plan.' };
      const { syncId } = await kit.sync.openManifest(kit.caller, {
        source: source.name,
        items: kit.itemsOf(later, { 'plan.md': ['new', 'both'] }),
        retryFailed: false,
      });
      for (const _ of ['old version', 'new version']) {
        expect(await kit.seenBy(source.collection, ['old', 'new'])).toEqual([]);
        expect(await kit.seenBy(source.collection, ['both'])).toEqual(['plan.md']);
        await kit.ingestFiles(source.collection, later);
      }
      await kit.sync.commit(kit.caller, { syncId, acceptLoss: false });
      expect(await kit.seenBy(source.collection, ['new'])).toEqual(['plan.md']);
      expect(await kit.seenBy(source.collection, ['old'])).toEqual([]);
    });

    it('is synced by nobody who may not see all of it, and tells failures by group', async () => {
      const source = await kit.source({ labelled: true });
      await kit.push(source, { ...WIKI, ...BROKEN }, { access: { 'broken.pdf': ['staff'] } });
      const input = { source: source.name, items: kit.itemsOf(WIKI), retryFailed: false };
      await expect(kit.sync.openManifest(kit.reader(['staff']), input)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      const failures = async (groups: string[]) =>
        (await kit.sources.failures(kit.workspaceId, source.id, 100, groups)).map(({ path }) => path);
      expect(await failures(['staff'])).toEqual(['broken.pdf']);
      expect(await failures([])).toEqual([]);
      const plain = await kit.source();
      await expect(kit.push(plain, WIKI, { access: { 'home.md': ['staff'] } })).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        field: 'input.items.0.access',
      });
    });
  });

  describe('over GraphQL', () => {
    const SYNC = `mutation ($input: SyncSourceInput!) { syncSource(input: $input) { sync new changed gone unchanged failed } }`;
    const SOURCE = `query ($name: String!) { source(name: $name) { name kind state lastSyncedAt nextSyncAt labelled
      counts { in failed empty gone } failures(first: 5) { path reason modifiedAt } collection { name } lastRun { status } } }`;

    it('is made, synced and read', async () => {
      const { name: collection } = await kit.collection();
      const name = `s${newId().slice(-12)}`;
      const made = await kit.ask(
        `mutation ($input: CreateSourceInput!) { createSource(input: $input) { source { id name state } } }`,
        { input: { name, collection } },
      );
      expect(made).toMatchObject({ data: { createSource: { source: { name, state: 'NEW' } } } });
      const files = { 'a.txt': 'The lift is broken.', 'b.txt': '' };
      const opened = await kit.ask(SYNC, { input: { source: name, items: kit.itemsOf(files) } });
      expect(opened.errors).toBeUndefined();
      const { sync } = opened.data!['syncSource'] as { sync: string };
      expect(opened.data).toMatchObject({
        syncSource: { new: ['a.txt', 'b.txt'], changed: [], gone: [], unchanged: 0 },
      });
      expect(await kit.ask(SOURCE, { name })).toMatchObject({ data: { source: { state: 'SYNCING' } } });
      await kit.ingestFiles(collection, files);
      const ended = await kit.ask(
        `mutation ($input: CommitSyncInput!) { commitSync(input: $input) { source { state counts { in empty } } } }`,
        { input: { sync } },
      );
      expect(ended).toMatchObject({
        data: { commitSync: { source: { state: 'SYNCED', counts: { in: 1, empty: 1 } } } },
      });
      expect(await kit.ask(SOURCE, { name }, kit.reader([], 'ASK'))).toMatchObject({
        data: {
          source: {
            kind: 'MANIFEST',
            state: 'SYNCED',
            lastSyncedAt: expect.any(Date),
            nextSyncAt: null,
            counts: { in: 1, failed: 0, empty: 1, gone: 0 },
            failures: [{ path: 'b.txt', reason: 'The file is empty (0 bytes).' }],
            collection: { name: collection },
            lastRun: null,
          },
        },
      });
      const refused = await kit.ask(SYNC, { input: { source: name, items: [] } }, kit.reader(null, 'ASK'));
      expect(refused.errors?.[0]?.originalError).toMatchObject({ code: 'FORBIDDEN' });
    });

    it('takes a list as a file, which it deletes, and names the line that is none', async () => {
      const source = await kit.source();
      const send = async (text: string) => {
        const { id } = await kit.upload('list.jsonl', Buffer.from(text));
        const manifest = Buffer.from(`File:${id}`).toString('base64url');
        return { id, result: await kit.ask(SYNC, { input: { source: source.name, manifest } }) };
      };
      const line = JSON.stringify({ ...kit.itemsOf({ 'a.txt': 'A.' })[0], modifiedAt: '2026-11-30T10:00:00Z' });
      const { id, result } = await send(`${line}\n\n`);
      expect(result).toMatchObject({ data: { syncSource: { new: ['a.txt'] } } });
      await expect(kit.files.get(kit.workspaceId, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      for (const wrong of ['{"path": 1}', '[', 'null']) {
        const { errors } = (await send(`${line}\n${wrong}\n`)).result;
        expect(errors?.[0]?.originalError).toMatchObject({
          code: 'BAD_USER_INPUT',
          message: 'Line 2 of the list is no item.',
        });
      }
    });
  });
});
