import fc from 'fast-check';
import { applyEdits } from '../../../src/sources/data/datasets/preprocessing/edits.js';
import { preprocessRow, preprocessText } from '../../../src/sources/data/datasets/preprocessing/preprocess.js';
import { PreprocessingStep as Step, TEXT_STEPS } from '../../../src/sources/data/datasets/preprocessing/steps.js';
import { TaskKind } from '../../../src/sources/data/datasets/tasks/index.js';

const run = (text: string, ...steps: Step[]) => preprocessText(text, steps).text;
const messy = fc.string({
  unit: fc.constantFrom(
    'a',
    'B',
    ' ',
    '\t',
    '\n',
    '\r\n',
    '\u00a0',
    '\ufeff',
    '\u200b',
    'e\u0301',
    'é',
    'ﬁ',
    '<b>',
    '</b>',
    '<br>',
    '&amp;',
    '&lt;',
    '가',
    '\u1100',
    '\u1161',
    '😀',
    '\u0301',
  ),
  maxLength: 30,
});

describe('text steps', () => {
  it('normalise exactly as String.normalize does', () => {
    fc.assert(
      fc.property(fc.oneof(messy, fc.string({ unit: 'binary', maxLength: 20 })), (text) => {
        expect(run(text, Step.UNICODE_NFC)).toBe(text.normalize('NFC'));
        expect(run(text, Step.UNICODE_NFKC)).toBe(text.normalize('NFKC'));
      }),
    );
  });

  it('make whitespace single, once and for all', () => {
    expect(run(' \ufeffa \u00a0 b\r\n\r\n\r\nc\u200bd \n e ', Step.WHITESPACE)).toBe('a b\n\ncd\ne');
    fc.assert(
      fc.property(messy, (text) =>
        expect(run(run(text, Step.WHITESPACE), Step.WHITESPACE)).toBe(run(text, Step.WHITESPACE)),
      ),
    );
  });

  it('take HTML away and leave comparisons alone', () => {
    expect(
      run(
        '<p>Hello&nbsp;<b class="x">Ada</b> &amp; co<br/>1 < 2 &#233; &#x1F600;</p><script>x<y</script><!-- c -->',
        Step.HTML,
      ),
    ).toBe('\nHello\u00a0Ada & co\n1 < 2 é 😀\n');
    expect(run('x <3 y, 1<2>0, a < b &unknown; AT&T', Step.HTML)).toBe('x <3 y, 1<2>0, a < b &unknown; AT&T');
  });

  it('mask personal data', () => {
    expect(run('write ada@example.com or +44 20 7946 0958', Step.MASK_PII)).toBe('write [EMAIL] or [PHONE]');
  });

  it('run in the declared order', () => {
    expect(run('&lt;b&gt;x', Step.HTML, Step.HTML)).toBe('x');
    expect(run('<p> x', Step.HTML, Step.WHITESPACE)).toBe('x');
    expect(run('<p> x', Step.WHITESPACE, Step.HTML)).toBe('\n x');
  });

  it('leave a single text alone when they concern whole rows', () => expect(run(' a ', Step.DEDUPLICATE)).toBe(' a '));
});

describe('spans', () => {
  it('follow their text through edits that lie outside of them', () => {
    const row = preprocessRow(
      {
        task: TaskKind.EXTRACTION,
        text: '<p>  Mail  ada@example.com   to Ada &amp; Bob </p>',
        entities: [
          { type: 'person', text: 'Ada', start: 32, end: 35 },
          { type: 'person', text: 'Bob', start: 42, end: 45 },
        ],
      },
      [Step.HTML, Step.MASK_PII, Step.WHITESPACE],
    );
    expect(row).toMatchObject({
      text: 'Mail [EMAIL] to Ada & Bob',
      entities: [
        { text: 'Ada', start: 16 },
        { text: 'Bob', start: 22 },
      ],
    });
  });

  it('stay inside the text, and a span without edits inside keeps its text', () => {
    const steps = fc.array(fc.constantFrom(Step.UNICODE_NFC, Step.WHITESPACE, Step.HTML, Step.MASK_PII), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(messy, messy, steps, (before, after, order) => {
        const text = `${before} Ada ${after}`;
        const start = before.length + 1;
        const processed = preprocessText(text, order);
        const moved = processed.moveSpan({ start, end: start + 3, text: 'Ada' });
        expect(moved.start).toBeGreaterThanOrEqual(0);
        expect(moved.end).toBeLessThanOrEqual(processed.text.length);
        expect(moved.text).toBe('Ada');
      }),
    );
  });

  it('move monotonically through any edits', () => {
    fc.assert(
      fc.property(messy, fc.nat(40), fc.nat(40), (text, a, b) => {
        const start = Math.min(a, b, text.length);
        const end = Math.min(Math.max(a, b), text.length);
        const edited = applyEdits(text, TEXT_STEPS[Step.HTML](text));
        const moved = edited.moveSpan({ start, end });
        expect(moved.start).toBeLessThanOrEqual(moved.end);
        expect(moved.end).toBeLessThanOrEqual(edited.text.length);
      }),
    );
  });
});
