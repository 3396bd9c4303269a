import { outline, parse } from './reading.js';

const page = (body: string) => parse(`<!DOCTYPE html><html><body>${body}</body></html>`, 'a.html');
const textOf = async (body: string) => (await page(body)).text;

describe('parts of a page that open when somebody asks', () => {
  it('keeps the questions of an FAQ of buttons over their answers', async () => {
    const document = await page(
      `<h1>FAQ</h1><div class="accordion-item"><h2><button class="accordion-button">How long is the warranty?</button></h2>
       <div class="accordion-collapse collapse"><div>Five years.</div></div></div>
       <dl><dt><button>Who pays?</button></dt><dd>We do.</dd></dl>
       <details><summary><button>Where to?</button></summary>To York.</details>`,
    );
    expect(outline(document)).toEqual([
      ['FAQ', 'FAQ'],
      ['FAQ > How long is the warranty?', 'How long is the warranty?'],
      ['FAQ > How long is the warranty?', 'Five years.'],
      ['FAQ > How long is the warranty?', 'Who pays?'],
      ['FAQ > How long is the warranty?', 'We do.'],
      ['FAQ > How long is the warranty?', 'Where to?'],
      ['FAQ > How long is the warranty?', 'To York.'],
    ]);
  });

  it('keeps a hidden panel that a control names, and one that searching opens', async () => {
    const text = await textOf(
      `<h3><button aria-expanded="false" aria-controls="p1 p2">How long?<svg><text>v</text></svg></button></h3>
       <div id="p1" hidden>Five years from purchase.</div><div id="p2" aria-hidden="true">Six for pumps.</div>
       <div role="tab" aria-controls="p3">Care</div><div id="p3" style="display:none">Clean it weekly.</div>
       <div hidden="until-found">Kept dry.</div>`,
    );
    expect(text.split('\n\n')).toEqual([
      'How long?',
      'Five years from purchase.',
      'Six for pumps.',
      'Care',
      'Clean it weekly.',
      'Kept dry.',
    ]);
  });

  it('leaves out hidden text that no control names, also inside what one opens, and navigation that one opens', async () => {
    const text = await textOf(
      `<p aria-controls=" menu panel ">Pump</p><nav id="menu" hidden>Home</nav><p hidden>planted</p><p hidden id="">planted</p>
       <div id="other" hidden>planted</div><div id="panel" hidden>Filter<span aria-hidden="true">planted</span></div>
       <p>Valve <button>Copy</button></p><h2>Seal <button hidden>planted</button></h2>`,
    );
    expect(text.split('\n\n')).toEqual(['Pump', 'Filter', 'Valve', 'Seal']);
  });

  it('keeps an aside of the content, a warning, and leaves out a side bar', async () => {
    const article = '<article><p>Open the valve.</p><aside>Wear gloves.</aside></article>';
    expect(await textOf(`${article}<aside>Latest posts</aside>`)).toBe('Open the valve.\n\nWear gloves.');
    expect(await textOf(`<main><p>Open it.</p><aside>Wear gloves.</aside></main>`)).toBe('Open it.\n\nWear gloves.');
  });
});

describe('links to addresses and numbers', () => {
  it.each([
    ['Mail <a href="mailto:help@acme.com">us</a>.', 'Mail us (help@acme.com).'],
    ['Mail <a href="MAILTO:a%2Bb@acme.com?subject=Hi">us <b>now</b></a>.', 'Mail us now (a+b@acme.com).'],
    ['<a href="mailto:help@acme.com">Help@acme.com</a>', 'Help@acme.com'],
    ['<a href="tel:+44-800-555123">Call</a>', 'Call (+44-800-555123)'],
    ['<a href="tel:+44800555123">0800 555 123</a>', '0800 555 123'],
    ['<a href="https://acme.com">us</a>', 'us'],
    ['<a href="mailto:">us</a>', 'us'],
    [`<a href="mailto:${'x'.repeat(400)}">us</a>`, 'us'],
    ['<ul><li><a href="mailto:a@b.c">us</a></li></ul>', '- us (a@b.c)'],
  ])('says where %s leads if its text does not', async (body, text) => {
    expect(await textOf(body)).toBe(text);
  });

  it('says it in Markdown, too', async () => {
    const { text } = await parse('# Help\n\nMail [us](mailto:help@acme.com) or <sales@acme.com>.', 'a.md');
    expect(text).toBe('Help\n\nMail us (help@acme.com) or sales@acme.com.');
  });
});

describe('cells that span rows', () => {
  const rows = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => `<tr><td>${from + i}</td></tr>`).join('');

  it('repeats a cell over all rows that it spans, however many', async () => {
    const text = await textOf(
      `<table><tr><th>Model</th><th>Size</th></tr><tr><td rowspan="23">P1</td><td>1</td></tr>${rows(2, 23)}
       <tr><td>P2</td><td>24</td></tr></table>`,
    );
    expect(text.split('\n').slice(20)).toEqual([
      'Model: P1; Size: 21',
      'Model: P1; Size: 22',
      'Model: P1; Size: 23',
      'Model: P2; Size: 24',
    ]);
  });

  it('ends a cell with its part of the table', async () => {
    const text = await textOf(
      `<table><thead><tr><th rowspan="9">Model</th><th>Size</th></tr></thead><tbody><tr><td>P1</td><td>1</td></tr></tbody></table>`,
    );
    expect(text).toBe('Model: P1; Size: 1');
  });

  it('makes no huge table of a small page', async () => {
    const wide = `<tr>${'<td rowspan="9999"></td>'.repeat(9_999)}<td rowspan="9999">1</td></tr>`;
    const long = `<tr><td rowspan="9999">${'word '.repeat(9_999)}</td><td>1</td></tr>`;
    expect(await textOf(`<table>${wide}${'<tr></tr>'.repeat(9_999)}</table>`)).toBe('1\n'.repeat(20).trim());
    expect((await textOf(`<table>${long}${rows(2, 9_999)}</table>`)).length).toBeLessThan(1_200_000);
  });

  it('reads links and tables inside each other by the ten thousand', async () => {
    const nested = '<a href="mailto:a@b.c"><table><tr><td>x'.repeat(10_000);
    expect(await textOf(nested)).toContain('(a@b.c)');
  });
});

describe('tasks and struck text', () => {
  it('keep whether a task is done', async () => {
    const list = '- Pump\n  - [x] Clean it\n  - [ ] Oil it\n- [x] Order a seal\n';
    const text = '- Pump\n  - [x] Clean it\n  - [ ] Oil it\n- [x] Order a seal';
    expect((await parse(list, 'a.md')).text).toBe(text);
    const items = `<ul><li>Pump<ul><li><input type="checkbox" disabled checked> Clean it</li>
      <li><label><input type="checkbox">Oil it</label></li></ul></li><li><input type="checkbox" checked="">Order a seal<input type="text" value="x"></li></ul>`;
    expect(await textOf(items)).toBe(text);
    expect((await textOf(`<ul><li>${'<input type="checkbox">'.repeat(50_000)}Nut</li></ul>`)).endsWith('[ ] Nut')).toBe(
      true,
    );
    expect(await textOf('<p><input type="checkbox"> Send me news</p>')).toBe('Send me news');
  });

  it('leave out what was struck, which no longer holds', async () => {
    expect(
      await textOf('<p>It costs <del>$20</del> <s>$15</s> $12.</p><ul><li><strike>Nut</strike>Seal</li></ul>'),
    ).toBe('It costs $12.\n\n- Seal');
    const source = 'It costs ~~$20~~ $12 at 10~20 °C and 30~40 °C.\n\n- ~~Nut~~\n- [x] ~~Lid~~\n- Seal\n';
    expect((await parse(source, 'a.md')).text).toBe('It costs $12 at 10~20 °C and 30~40 °C.\n\n- Seal');
  });
});
