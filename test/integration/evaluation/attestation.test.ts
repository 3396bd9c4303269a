import { join } from 'node:path';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import type { LoraPair } from '../../../gpu-worker/formats/peft/peft-adapter.js';
import type { Attestor } from '../../../src/prove/index.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import type { RunRow } from '../../../src/platform/runs/index.js';
import { writePeft } from '../../support/tiny-peft.js';
import { AdapterKit } from './adapter-kit.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(240_000);

describe('attestation', () => {
  let kit: AdapterKit;
  let attestor: Attestor;

  beforeAll(async () => {
    kit = await AdapterKit.start();
    ({ attestor } = kit.domains.evaluation);
  });
  afterAll(() => kit.dispose());

  const attest = async (adapter: string): Promise<RunRow> =>
    kit.models.ended(await attestor.start(workspaceId, { adapter, version: 1, idempotencyKey: newId() }), 200_000);

  const other = async (seed: number, strength?: number): Promise<Buffer> =>
    (await writePeft(mkdtempSync(join(kit.models.folder, 'other-')), kit.variant, { seed, strength })).gguf;

  it('shows that an adapter acts as it was trained and leaves nothing behind, and so lets it be promoted', async () => {
    const { id } = await kit.add({ name: 'acts', seed: 1 });
    const promote = () =>
      kit.adapters.promote(workspaceId, {
        adapter: 'acts',
        version: 1,
        alias: 'production',
        by: 'op',
        reason: 'acts',
        evidence: {},
      });
    await expect(promote()).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await attest('acts')).toMatchObject({ status: 'SUCCEEDED' });
    await promote();
    const { attestation, file } = await kit.adapters.resolve(workspaceId, 'acts');
    expect(attestation).toMatchObject({ digest: file.sha256, offIsBase: true, probes: 8 });
    expect(attestation!.modules).toEqual({ matched: 6, expected: 6 });
    expect(attestation!.cosine).toBeGreaterThan(0.99);
    expect(attestation!.normRatio).toBeCloseTo(1, 1);
    expect(attestation!.effect).toBeGreaterThan(0);
    expect((await kit.adapters.store.versionsById(workspaceId, [id]))[0]!.attestation).not.toBeNull();
  });

  it.each([
    ['changes nothing', { strength: 0 }, /changes no logit/],
    ['lacks a module', { edit: (pairs: LoraPair[]) => pairs.slice(1) }, /5 of the 6 modules/],
    ['is served from the file of another', { served: () => other(9) }, /cosine/],
    ['is applied twice', { strength: 0.05, served: () => other(3, 0.1) }, /(1\.[5-9]|2\.)\d+ times that when trained/],
    ['is served at half its strength', { strength: 0.1, served: () => other(3, 0.05) }, /0\.[3-6]\d+ times that when/],
  ])('refuses one that %s, and writes nothing down', async (what, options, message) => {
    const name = what.replaceAll(' ', '-');
    const { id } = await kit.add({ name, seed: 3, ...options });
    const run = await attest(name);
    expect(run).toMatchObject({ status: 'FAILED', errorCode: 'ADAPTER_UNPROVEN' });
    expect(run.errorMessage).toMatch(message);
    expect((await kit.adapters.store.versionsById(workspaceId, [id]))[0]!.attestation).toBeNull();
  });

  it('refuses one whose file was replaced under its path', async () => {
    const { ggufFileId } = await kit.add({ name: 'replaced', seed: 4 });
    const path = await kit.models.files.local(await kit.models.files.get(workspaceId, ggufFileId));
    chmodSync(path, 0o600);
    writeFileSync(path, await other(5));
    expect(await attest('replaced')).toMatchObject({ status: 'FAILED', errorCode: 'STORAGE_FAILED' });
  });

  it('knows no adapter or version that does not exist', async () => {
    const start = (adapter: string, version: number) =>
      attestor.start(workspaceId, { adapter, version, idempotencyKey: newId() });
    await expect(start('nobody', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(start('acts', 9)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
