import { toGlobalId } from '../../src/kit/graphql/index.js';
import { DEFAULT_SETTINGS, storedSettings } from '../../src/ship/improvement/policy.js';
import { newId } from '../../src/kernel/ids.js';
import { asColumn } from '../../src/platform/database/index.js';
import { storedAttestation, storedUsage } from '../../src/sources/registry/index.js';
import { DeliveryKit, wish, WORKSPACE } from '../integration/delivery/delivery-kit.js';
import { FakeCandidate, reaches, serve, servedBy, shadowWish } from '../integration/delivery/shadow-kit.js';
import { chromiumPath } from '../support/chromium.js';
import { ConsoleBrowser, keepScreenshot, overflow, seriousFaults, VIEWS } from '../support/console-browser.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { labelled } from '../support/recorded-answers.js';
import { itWhen } from '../support/skip.js';

const executablePath = chromiumPath();
const itInBrowser = itWhen(executablePath !== null, 'no Chromium on this machine; set CHROMIUM_PATH or install one');
const PATIENCE = { timeout: 90_000 };

/** What the product would have written of a version that was trained and shown to act. */
const PROVEN = {
  usage: asColumn(
    storedUsage.encode({
      v: 1,
      rendering: 1,
      labels: ['refund', 'delivery'],
      languages: null,
      reads: false,
      answer: { form: 'text' },
    }),
  ),
  attestation: asColumn(
    storedAttestation.encode({
      v: 1,
      digest: '1'.repeat(64),
      variantSha256: '2'.repeat(64),
      modules: { matched: 14, expected: 14 },
      probes: 8,
      cosine: 0.991,
      normRatio: 1.02,
      effect: 0.4,
      offIsBase: true,
      attestedAt: '2026-11-27T12:00:00Z',
    }),
  ),
};

/** Refunds are told from deliveries; the candidate says of each fifth otherwise. */
const QUESTIONS = Array.from({ length: 40 }, (_, n) => `Where is order ${4_100 + n}?`);

describe('the console’s page of deliveries', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let kit: DeliveryKit;
  let graft: GraftProgram | undefined;
  let browser: ConsoleBrowser;
  let shadow: string;
  let rollout: string;
  let proposal: string;

  beforeAll(async () => {
    [home, kit] = [await temporaryHome(), await DeliveryKit.start()];
    const candidate = new FakeCandidate(({ question }) => ({
      ...labelled(QUESTIONS.indexOf(question) % 5 === 0 ? 'refund' : 'delivery', 0.8),
      cost: { computeMs: 42, computedTokens: 30 },
    }));
    const gateway = await kit.gateway({ askingInBulk: candidate });
    const { versions } = await kit.adapter('routing');
    const tone = await kit.adapter('tone');
    await kit.database.prisma.adapterVersion.updateMany({ data: PROVEN });
    const compared = await gateway.shadowService.start(
      WORKSPACE,
      shadowWish('routing', { leastAnswers: QUESTIONS.length }),
    );
    const answers: string[] = [];
    // No more than twenty wait for it.
    for (let n = 0; n < QUESTIONS.length; n += 10) {
      const asked = QUESTIONS.slice(n, n + 10);
      const said = { ...labelled('delivery'), latencyMs: 90 };
      answers.push(
        ...(await serve(
          kit,
          asked.map((question) => servedBy(versions[0]!, 'routing', { ...said, question })),
        )),
      );
      await reaches(kit, compared.id, 'they are put to it', ({ answered }) => answered === n + 10, 60_000);
    }
    await kit.database.prisma.feedback.createMany({
      data: answers.slice(0, 12).map((answerId) => ({
        id: newId(),
        workspaceId: WORKSPACE,
        kind: 'FEEDBACK',
        sourceKind: 'HUMAN',
        sourceName: newId(),
        digest: newId(),
        answerId,
        agrees: true,
        score: 1,
      })),
    });
    await reaches(kit, compared.id, 'it is complete', ({ status }) => status === 'COMPLETE', 60_000);
    const { id } = await gateway.rolloutService.start(WORKSPACE, wish('routing', { shadow: compared.id }));
    const says = (_: string, n: number) => ({ latencyMs: 80 + (n % 7), ...labelled('delivery', 0.7 + (n % 5) / 25) });
    await kit.ask(gateway, 'routing', 60, says);
    await kit.reaches(id, 'the last step', ({ step }) => step === 1);
    await kit.ask(gateway, 'routing', 20, says);
    await kit.reaches(id, 'approval', ({ awaitsApproval }) => awaitsApproval);
    await gateway.shadowService.start(WORKSPACE, shadowWish('tone'));
    const [open] = await gateway.proposals.ofRollouts(WORKSPACE, [id]);
    [shadow, rollout] = [toGlobalId('Shadow', compared.id), toGlobalId('Rollout', id)];
    proposal = toGlobalId('Proposal', open!.id);
    await kit.database.prisma.improvement.createMany({
      data: Array.from({ length: 21 }, (_, n) => ({
        id: newId(),
        workspaceId: WORKSPACE,
        adapterId: tone.adapter.id,
        runId: newId(),
        trigger: 'CALENDAR',
        reason: 'a week went by',
        startedBy: 'graft',
        settings: asColumn(storedSettings.encode(DEFAULT_SETTINGS)),
        outcome: 'NOTHING_NEW',
        message: n === 0 ? 'The first found no lessons.' : 'It found no lessons.',
        finishedAt: new Date(),
      })),
    });
    await gateway.stop();
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn', DATABASE_URL: kit.database.url }).started;
    if (executablePath !== null) browser = await ConsoleBrowser.launch(executablePath, graft.url);
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    graft?.child.kill('SIGTERM');
    await graft?.ended;
    await kit.dispose();
    await home.remove();
  });

  const pathOf = (kind: string, id: string): string => `/delivery/${kind}/${encodeURIComponent(id)}`;

  itInBrowser(
    'shows what a version would have said unseen, with the labels that changed and who was right',
    async () => {
      // However many are newer, it is found.
      const { prisma } = kit.database;
      const { skipped, ...compared } = await prisma.shadow.findFirstOrThrow({ where: { adapter: 'routing' } });
      const newer = () => ({ id: newId(), candidateId: newId(), candidateVersion: 3, idempotencyKey: newId() });
      await prisma.shadow.createMany({
        data: Array.from({ length: 10 }, () => ({ ...compared, skipped: asColumn(skipped), ...newer() })),
      });
      const page = await browser.open('/delivery');
      await page.getByRole('button', { name: 'Show older shadows' }).click(PATIENCE);
      await page.getByRole('link', { name: 'routing: version 2 unseen beside 1' }).click();
      await page.getByText('80.0 %', { exact: true }).waitFor(PATIENCE);
      await page.getByRole('table', { name: 'Labels that changed' }).getByText('refund').waitFor(PATIENCE);
      await page.getByText('Where is order 4105?').waitFor(PATIENCE);
      await page.reload();
      await page.getByText('It has ended').waitFor(PATIENCE);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'draws the share of a rollout as it rose, and tells the newest decision first, however many there are, commands as such',
    async () => {
      const { prisma } = kit.database;
      await prisma.rolloutDecision.updateMany({ data: { reasons: { push: 'See `npx graft runs` first.' } } });
      const { evidence, ...decision } = await prisma.rolloutDecision.findFirstOrThrow({ orderBy: { id: 'desc' } });
      await prisma.rolloutDecision.createMany({
        data: Array.from({ length: 101 }, (_, n) => ({
          ...decision,
          evidence: asColumn(evidence),
          id: newId(),
          reasons: [`Looked at ${n} times.`],
        })),
      });
      const page = await browser.open(pathOf('rollouts', rollout));
      const title = 'Share of questions that the candidate answers';
      await page.getByLabel(`Show as a table: ${title}`).click(PATIENCE);
      const shares = await page.getByRole('table', { name: title }).locator('tbody td:last-child').allTextContents();
      expect(shares.slice(0, 3)).toEqual(['50', '50', '90']);
      const decisions = page.getByTestId('rollout-decision');
      expect(await decisions.first().textContent()).toContain('Looked at 100 times.');
      const first = decisions.last();
      expect(await first.textContent()).toMatch(/^Start.*See npx graft runs first\./);
      expect(await first.locator('code').textContent()).toBe('npx graft runs');
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'goes on to the first of many improvements',
    async () => {
      const page = await browser.open('/improvements');
      await page.getByRole('button', { name: 'Show older improvements' }).click(PATIENCE);
      await page.getByText('The first found no lessons.').waitFor(PATIENCE);
      expect(await page.getByRole('link', { name: /^tone, / }).count()).toBe(21);
      await page.context().close();
    },
    120_000,
  );

  for (const view of VIEWS)
    itInBrowser(
      `has nothing that axe-core calls serious, and fits its window: ${view.name}`,
      async () => {
        for (const [name, path, text] of [
          ['deliveries', '/delivery', 'Compare a version unseen'],
          ['shadow', pathOf('shadows', shadow), 'Labels that changed'],
          ['rollout', pathOf('rollouts', rollout), 'Look at the evidence and decide'],
          ['proposal', pathOf('proposals', proposal), 'What it would have said, unseen'],
          ['improvements', '/improvements', 'Show older improvements'],
        ] as const) {
          const page = await browser.open(path, view);
          await page.getByText(text).first().waitFor(PATIENCE);
          expect(await seriousFaults(page)).toEqual([]);
          expect(await overflow(page)).toBeLessThanOrEqual(0);
          await keepScreenshot(page, `${name}-${view.name}`);
          await page.context().close();
        }
        expect(browser.complaints).toEqual([]);
        expect(browser.foreign).toEqual([]);
      },
      400_000,
    );

  itInBrowser(
    'makes the candidate production with one decision on the page that holds the evidence',
    async () => {
      const page = await browser.open(pathOf('proposals', proposal));
      await page.getByLabel('Why').fill('It says the same, and nobody was answered worse');
      await page.getByRole('button', { name: /approve|production/i }).click();
      await page
        .getByText('“It says the same')
        .or(page.getByText('It says the same, and nobody'))
        .first()
        .waitFor(PATIENCE);
      await page.getByText(/^Decided by/).waitFor(PATIENCE);
      const { prisma } = kit.database;
      const adapter = await prisma.adapter.findFirstOrThrow({ where: { name: 'routing' } });
      const named = await prisma.adapterAlias.findFirstOrThrow({
        where: { adapterId: adapter.id, alias: 'production' },
        include: { version: true },
      });
      expect(named.version.version).toBe(2);
      await page.context().close();
    },
    120_000,
  );
});
