import type { Page } from 'playwright-core';
import { DEFAULT_WORKSPACE_ID as workspaceId } from '../../src/kernel/ids.js';
import { type ConsoleBrowser, keepScreenshot, overflow, seriousFaults, VIEWS } from '../support/console-browser.js';
import { consoleStand, itInBrowser, type ConsoleStand } from '../support/console-stand.js';
import type { TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { recordAnswers } from '../support/recorded-answers.js';
import { newId } from '../../src/kernel/ids.js';

const PATIENCE = { timeout: 60_000 };

describe('the console, reviewing answers,', () => {
  let stand: ConsoleStand;
  let database: TestDatabase;
  let browser: ConsoleBrowser;
  let answers: string[];

  beforeAll(async () => {
    stand = await consoleStand();
    ({ database, browser } = stand);
    const probabilities = [
      { label: 'card_arrival', probability: 0.41 },
      { label: 'lost_card', probability: 0.33 },
      { label: 'card_payment', probability: 0.12 },
    ];
    answers = await recordAnswers(database, workspaceId, [
      {
        question: 'Where is the card that I ordered last week?',
        text: 'card_arrival',
        task: 'CLASSIFICATION',
        output: { kind: 'LABEL', label: 'card_arrival', probabilities },
      },
      { question: 'How long is an RMA number valid?', text: 'An RMA number is valid for 12 days.' },
      {
        question: 'Anna Kurz and Ben Ode met in Lund.',
        text: '[]',
        task: 'EXTRACTION',
        output: { kind: 'ENTITIES', entities: [{ type: 'PERSON', text: 'Anna Kurz', start: 0, end: 9 }] },
      },
      { question: 'Which is the better reason?', text: 'Because the pump is old.' },
      { question: 'Which is the better reason?', text: 'Because the valve at the pump was closed on Monday.' },
    ]);
    await database.prisma.dataset.create({
      data: {
        id: newId(),
        workspaceId,
        name: 'topics',
        task: 'CLASSIFICATION',
        labels: probabilities.map(({ label }) => label),
      },
    });
    await database.prisma.dataset.create({
      data: { id: newId(), workspaceId, name: 'people', task: 'EXTRACTION', labels: ['PERSON', 'PLACE'] },
    });
    const items = [
      { reason: 'UNCERTAIN', answerId: answers[0]!, otherId: null },
      { reason: 'UNREVIEWED', answerId: answers[1]!, otherId: null },
      { reason: 'CHOSEN', answerId: answers[2]!, otherId: null },
      { reason: 'PAIR', answerId: answers[3]!, otherId: answers[4]! },
    ];
    for (const item of items)
      await database.prisma.reviewItem.create({
        data: { id: newId(), workspaceId, wanted: 3, subject: `${item.answerId} ${item.otherId}`, ...item },
      });
  }, 240_000);
  afterAll(() => stand.stop());

  const question = (page: Page, text: string) =>
    page.getByTestId('review-question').filter({ hasText: text }).waitFor(PATIENCE);

  itInBrowser(
    'goes through the queue with the keyboard alone: a label, a correction with its diff, a blind pair',
    async () => {
      const page = await browser.open('/review');
      await page.keyboard.type('anna');
      await page.keyboard.press('Enter');
      await question(page, 'Where is the card');
      expect(new URL(page.url()).searchParams.get('as')).toBe('anna');
      await page.keyboard.press('?');
      await page.getByRole('table', { name: 'Keys' }).waitFor();
      await keepScreenshot(page, 'review-keys');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });

      // Leaves it, comes back to it, and says that another label is right.
      await page.keyboard.press('ArrowRight');
      await question(page, 'How long is an RMA');
      await page.keyboard.press('ArrowLeft');
      await question(page, 'Where is the card');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      expect(await page.getByRole('button', { name: /lost_card/ }).getAttribute('aria-pressed')).toBe('true');
      await keepScreenshot(page, 'review-label');
      await page.keyboard.press('Enter');

      // Corrects a text in place.
      await question(page, 'How long is an RMA');
      await page.keyboard.press('e');
      await page.getByLabel('What is right').waitFor();
      await eventually('the field', () => page.evaluate(() => document.activeElement?.tagName === 'TEXTAREA'));
      await page.keyboard.press('Control+A');
      await page.keyboard.type('An RMA number is valid for 21 days.');
      const diff = page.getByRole('group', { name: 'What the correction changes' });
      expect(await diff.locator('del').allTextContents()).toEqual(['12']);
      expect(await diff.locator('ins').allTextContents()).toEqual(['21']);
      await keepScreenshot(page, 'review-correction');
      await page.keyboard.press('Control+Enter');

      // Says which entities a question has: what isn't in it is not taken.
      await question(page, 'Anna Kurz and Ben Ode');
      await page.keyboard.press('e');
      await eventually('the field', () => page.evaluate(() => document.activeElement?.tagName === 'TEXTAREA'));
      expect(await page.getByLabel('What is right').inputValue()).toBe('PERSON: Anna Kurz');
      await page.keyboard.press('Control+End');
      await page.keyboard.type('\nPERSON: Ben Ode\nPLACE: Lunt');
      await page.getByText('“Lunt” does not stand in the question.').waitFor();
      await page.keyboard.press('Control+Enter');
      await page.keyboard.press('Backspace');
      await page.keyboard.type('d');
      await keepScreenshot(page, 'review-entities');
      await page.keyboard.press('Control+Enter');

      // Which of two is better.
      await question(page, 'Which is the better reason');
      const pair = page.getByText(/^Because the/);
      const second = await pair.nth(1).textContent();
      await keepScreenshot(page, 'review-pair');
      await page.keyboard.press('2');
      await page.keyboard.press('Enter');
      await page.getByText('Nothing is left to review').waitFor(PATIENCE);

      const given = await database.prisma.feedback.findMany({ orderBy: { id: 'asc' } });
      expect(
        given
          .slice(0, 3)
          .map(({ answerId, sourceName, expectation, score }) => [answerId, sourceName, expectation ?? score]),
      ).toEqual([
        [answers[0], 'anna', { kind: 'LABEL', label: 'lost_card', isNew: false }],
        [answers[1], 'anna', -1],
        [answers[1], 'anna', { kind: 'TEXT', text: 'An RMA number is valid for 21 days.', passageId: null }],
      ]);
      const [, , , , marked] = given;
      expect(marked!.expectation).toMatchObject({
        kind: 'ENTITIES',
        entities: [
          { type: 'PERSON', start: 0, end: 9 },
          { type: 'PERSON', start: 14, end: 21 },
          { type: 'PLACE', start: 29, end: 33 },
        ],
      });
      const preferred = await database.prisma.review.findFirstOrThrow({ where: { preferredId: { not: null } } });
      const better = await database.prisma.answer.findFirstOrThrow({ where: { id: preferred.preferredId! } });
      expect(better.text).toBe(second);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'is at the same item again when the page is loaded anew',
    async () => {
      const page = await browser.open('/review?as=ben&reason=PAIR');
      await question(page, 'Which is the better reason');
      expect(new URL(page.url()).searchParams.get('item')).not.toBeNull();
      await page.reload();
      await question(page, 'Which is the better reason');
      await page.context().close();
    },
    60_000,
  );

  for (const view of VIEWS)
    itInBrowser(
      `has nothing that axe-core calls serious, and fits its window: ${view.name}`,
      async () => {
        const page = await browser.open('/review?as=cleo', view);
        await page.getByTestId('review-question').waitFor(PATIENCE);
        await keepScreenshot(page, `review-${view.name}`);
        expect(await seriousFaults(page)).toEqual([]);
        expect(await overflow(page)).toBeLessThanOrEqual(0);
        await page.context().close();
      },
      60_000,
    );

  itInBrowser('breaks no rule of its content security policy', async () => {
    expect(browser.complaints).toEqual([]);
    expect(browser.foreign).toEqual([]);
  });
});
