import { AnswerStore } from '../../../src/answer/ask/index.js';
import { newId } from '../../../src/kernel/ids.js';
import { storedState } from '../../../src/ship/delivery/rollouts/rollout.js';
import { toDecision } from '../../../src/ship/delivery/rollouts/rollout-view.js';
import { eventually } from '../../support/eventually.js';
import { DeliveryKit, wish, WORKSPACE, type AnswerRow, type TestGateway } from './delivery-kit.js';

jest.setTimeout(120_000);

const LONG = [{ share: 0.5, leastAnswers: 100_000 }, { share: 0.9 }];
const FEEDBACK = [{ metric: 'FEEDBACK' as const }];

describe('what people say of the answers of a rollout', () => {
  let kit: DeliveryKit;
  let gateway: TestGateway;

  beforeAll(async () => {
    kit = await DeliveryKit.start();
    gateway = await kit.gateway();
  });
  afterAll(() => kit.dispose());

  const start = async (name: string, over = {}) => {
    await kit.adapter(name);
    return gateway.rolloutService.start(WORKSPACE, wish(name, { steps: LONG, guardrails: FEEDBACK, ...over }));
  };
  /** What was counted of a figure. */
  const counted = async (id: string, name: 'FAILURE' | 'FEEDBACK') => {
    const measure = storedState.decode((await kit.row(id)).state).watch.measures[name]!;
    return { candidate: measure.candidate.n, control: measure.control.n };
  };
  const everybody = async (id: string, times: number, saying: number) =>
    eventually('all is counted', async () => {
      const { candidate, control } = await counted(id, 'FEEDBACK');
      if (candidate + control !== saying) throw new Error(`${candidate + control} of ${saying}, ${times} asked`);
      return true;
    });

  it('takes the candidate back, though it is said after all answers are given and none of their figures is bad', async () => {
    const { id } = await start('disliked');
    await kit.ask(gateway, 'disliked', 120);
    expect(await kit.row(id)).toMatchObject({ status: 'RUNNING' });
    await kit.judge(id, ({ assignmentArm }) => assignmentArm === 'CONTROL');
    await kit.reaches(id, 'it goes back', ({ status }) => status === 'ROLLED_BACK');
    const last = (await kit.decisions(id)).at(-1)!;
    expect(last).toMatchObject({ action: 'ROLL_BACK', check: 'GUARDRAIL', decidedBy: null });
    expect(last.reasons[0]).toMatch(
      /^FEEDBACK \(answers that people found right\): 0 % of \d+ answers against 100 % of \d+ controls/,
    );
    const [figure] = toDecision(last).figures;
    expect(figure).toMatchObject({ metric: 'FEEDBACK', candidate: { value: 0 }, control: { value: 1 } });
    expect(figure!.difference).toMatchObject({ estimate: -1, low: -1 });
    expect(figure!.difference!.high).toBeLessThan(-0.05);
  });

  it('counts also when the step of the answer was left', async () => {
    const { id } = await start('liked', {
      guardrails: [{ metric: 'FAILURE' }, ...FEEDBACK],
      steps: [
        { share: 0.5, leastAnswers: 5, leastMinutes: 0 },
        { share: 0.9, leastAnswers: 0, leastMinutes: 0 },
      ],
    });
    await kit.ask(gateway, 'liked', 200);
    await kit.reaches(id, 'it goes on', ({ step }) => step === 1);
    await kit.judge(id, () => true);
    await everybody(id, 200, 200);
    await kit.judge(id, () => true);
    // Those that were judged already count no more; one that comes now belongs to the step that was left.
    const [first] = await kit.database.prisma.answer.findMany({ where: { assignmentSubject: id }, take: 1 });
    await kit.database.prisma.answerVerdict.delete({ where: { answerId: first!.id } });
    await kit.judge(id, (each) => (each.id === first!.id ? true : null));
    await everybody(id, 200, 201);
  });

  it('counts once an answer, by what was said first, and never what a tester forced', async () => {
    const { id } = await start('twice');
    await kit.ask(gateway, 'twice', 40);
    const forced = gateway.tests.assign(WORKSPACE, 'twice', {
      unit: null,
      requestKey: newId(),
      forceArm: 'CANDIDATE',
    })!;
    await kit.record(forced.assignment, {});
    expect(await kit.judge(id, () => true)).toBe(40);
    await everybody(id, 40, 40);
    await kit.judge(id, () => false);
    const all = await kit.database.prisma.answer.findMany({ where: { assignmentSubject: id } });
    expect(all).toHaveLength(41);
    await kit.ask(gateway, 'twice', 1);
    await kit.judge(id, ({ assignmentSequence }) => assignmentSequence === highest([...all]) + 1n || null);
    await everybody(id, 41, 41);
    expect((await kit.row(id)).status).toBe('RUNNING');
  });

  it('waits for a batch that took its numbers long before others, and was not written when theirs were', async () => {
    const { id } = await start('batches');
    await kit.ask(gateway, 'batches', 40);
    const late = await kit.database.pool.connect();
    try {
      await late.query('BEGIN');
      await late.query(
        `INSERT INTO answer_verdict (answer_id, subject, arm, stage, unit_hash, good)
         SELECT id, assignment_subject, assignment_arm, assignment_stage, unit_hash, true
           FROM answer WHERE assignment_subject = $1 ORDER BY id LIMIT 10`,
        [id],
      );
      await kit.database.pool.query(
        `SELECT setval(pg_get_serial_sequence('answer_verdict', 'sequence'), nextval(pg_get_serial_sequence('answer_verdict', 'sequence')) + 5000)`,
      );
      const { rows } = await kit.database.pool.query<{ id: string }>(
        'SELECT id FROM answer WHERE assignment_subject = $1 ORDER BY id OFFSET 10',
        [id],
      );
      const others = new Set(rows.map((row) => row.id));
      expect(await kit.judge(id, (each) => (others.has(each.id) ? true : null))).toBe(30);
      await kit.ask(gateway, 'batches', 5);
      await late.query('COMMIT');
    } finally {
      late.release();
    }
    await everybody(id, 45, 40);
  });

  it('takes one outcome of each unit and step, of answers and of what is said', async () => {
    const { id } = await start('sticky', {
      guardrails: [{ metric: 'FAILURE' }, ...FEEDBACK],
    });
    // Ten users, each of whom asks eight times.
    const drawn = await kit.ask(
      gateway,
      'sticky',
      80,
      () => ({}),
      (n) => `user ${n % 10}`,
    );
    expect(drawn.CANDIDATE + drawn.CONTROL).toBe(80);
    await eventually('all are counted', async () => {
      const { candidate, control } = await counted(id, 'FAILURE');
      return candidate + control === 10;
    });
    await kit.judge(id, () => true);
    await everybody(id, 80, 10);
    expect(storedState.decode((await kit.row(id)).state).watch.answers).toEqual({
      candidate: drawn.CANDIDATE,
      control: drawn.CONTROL,
    });
  });

  it('lists what each arm answered, those that people found wrong among them, and the rollouts of many adapters at once', async () => {
    const { id, adapterId, candidateId } = await start('listed');
    const drawn = await kit.ask(gateway, 'listed', 40);
    await kit.judge(id, ({ assignmentArm }) => assignmentArm === 'CONTROL');
    const { adapterId: other } = await start('listed too');
    const answers = new AnswerStore(kit.database);
    const page = { first: 100, after: null };
    const of = async (arm: string | null, more = {}) =>
      (await answers.list(WORKSPACE, { drawn: { subjectId: id, arm }, ...more }, page)).items.map(
        ({ assignment }) => assignment?.arm,
      );
    expect(await of(null)).toHaveLength(40);
    expect(await of('CANDIDATE')).toEqual(Array.from({ length: drawn.CANDIDATE }, () => 'CANDIDATE'));
    const { prisma } = kit.database;
    const wrong = await prisma.answer.findFirstOrThrow({
      where: { assignmentSubject: id, assignmentArm: 'CANDIDATE' },
    });
    await prisma.answer.update({ where: { id: wrong.id }, data: { feedbackCount: 1, feedbackWrong: 1 } });
    expect(await of('CANDIDATE', { disagrees: true })).toEqual(['CANDIDATE']);
    const ids = (rows: readonly { id: string }[][]) => rows.map((each) => each.map((row) => row.id));
    const found = await gateway.rollouts.newestOf(WORKSPACE, 'adapterId', [other, newId(), adapterId]);
    expect(ids(found).map(({ length }) => length)).toEqual([1, 0, 1]);
    expect(ids(await gateway.rollouts.newestOf(WORKSPACE, 'candidateId', [candidateId]))).toEqual([[id]]);
  });

  const highest = (answers: readonly AnswerRow[]): bigint =>
    answers.reduce(
      (most, { assignmentSequence }) => ((assignmentSequence ?? 0n) > most ? assignmentSequence! : most),
      0n,
    );
});
