// Counts what makes the code and its pages hard to hold in the head, and fails where a count grew.
// `npm run house -- --list` names the places; `-- --list unused` names those of the lines with this word.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/**
 * `limit` is today's number, or the goal where it is met. Whoever gets below writes the lower number here.
 * `of` makes the number a share of all such things, in percent.
 */
const LIMITS = {
  'unused exports': { of: 'exports', limit: 2, goal: 2 },
  'exports for tests alone': { of: 'exports', limit: 5.2, goal: 2 },
  'functions too long or too branched': { limit: 19, goal: 0 },
  'locals without a noun': { of: 'locals', limit: 1.3, goal: 1 },
  'sentences too long': { limit: 0, goal: 0 },
};

/** Names that say when a value was made or whose it is, not what it is. */
const NO_NOUNS = new Set(
  `answered asked begun built checked chosen counted done drawn ended found given gone heard held hosted judged kept known learned left lost
  made meant measured moved named needed planned refused said seen sent served shown spent stored taken thrown told tried wanted written
  all another any both each every its least many mine more most none nothing one other others ours own same several some theirs those what which
  who whose
  about above after again against ahead alone apart around at away before behind below beside between beyond by here how into near of off on once
  out over since then there together under up when why within without`.split(/\s+/),
);

/** A function beyond these is taken apart, or the line above it says why it is one piece: `// whole: …`. */
const MOST_LINES = 80;
const MOST_COMPLEXITY = 15;
const MOST_WORDS = 25;
const REASON = /\/\/ whole: \S/;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const COUNTED = ['src', 'gpu-worker'];
/** What imports from the counted folders and is no test: the programs of scripts/ run what was built. */
const PROGRAMS = ['scripts', 'examples'];
const TESTS = ['test', 'bench'];
/** What other packages import, see `exports` of package.json. */
const PUBLIC = 'src/client/operations/index.ts';

function filesBelow(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return ['generated', 'node_modules'].includes(entry.name) ? [] : filesBelow(path);
    return /\.(tsx?|mjs)$/.test(entry.name) && !/^vite/.test(entry.name) ? [path] : [];
  });
}

/** The file that an import names, in source where it names what was built of it; null for a package. */
function importedFile(from, specifier) {
  if (!specifier.startsWith('.')) return null;
  const path = resolve('/', dirname(from), specifier)
    .slice(1)
    .replace(/^dist\//, '')
    .replace(/\.jsx?$/, '');
  return [`${path}.ts`, `${path}.tsx`, `${path}/index.ts`, path].find((candidate) => sources.has(candidate)) ?? null;
}

/** Calls `visit` with the node and all below it. */
function walk(node, visit) {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

const isExported = (node) => (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Export) !== 0;

/** The names that a declaration or a pattern binds. */
function boundNames(name) {
  return ts.isIdentifier(name)
    ? [name]
    : name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}

/** The nodes of the names that a file exports, by name, and the files all of whose exports it passes on. */
function exportsOf(source) {
  const names = new Map();
  const forwarded = [];
  for (const statement of source.statements) {
    if (ts.isExportDeclaration(statement)) {
      if (statement.exportClause && ts.isNamedExports(statement.exportClause))
        for (const element of statement.exportClause.elements) names.set(element.name.text, element);
      else if (statement.moduleSpecifier) forwarded.push(importedFile(source.fileName, statement.moduleSpecifier.text));
    } else if (ts.isExportAssignment(statement)) names.set('default', statement);
    else if (ts.isVariableStatement(statement) && isExported(statement))
      for (const name of statement.declarationList.declarations.flatMap((declaration) => boundNames(declaration.name)))
        names.set(name.text, name);
    else if (ts.canHaveModifiers(statement) && isExported(statement)) {
      const isDefault = (ts.getCombinedModifierFlags(statement) & ts.ModifierFlags.Default) !== 0;
      names.set(isDefault ? 'default' : statement.name.text, statement);
    }
  }
  return { names, forwarded: forwarded.filter(Boolean) };
}

/** The names that `await import(…)` takes from its module; null where it can’t be seen, so that all count as taken. */
function takenNames(call) {
  let node = call.parent;
  while (ts.isAwaitExpression(node) || ts.isParenthesizedExpression(node) || ts.isAsExpression(node))
    node = node.parent;
  if (ts.isPropertyAccessExpression(node)) return [node.name.text];
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name))
    return node.name.elements.map((element) => (element.propertyName ?? element.name).text);
  return null;
}

/** What a file imports of others: the file, and the names or null for all. */
function importsOf(source) {
  const imports = [];
  const add = (specifier, names) => {
    const file = specifier && ts.isStringLiteralLike(specifier) && importedFile(source.fileName, specifier.text);
    if (file) imports.push({ file, names });
  };
  walk(source, (node) => {
    if (ts.isImportDeclaration(node)) {
      const bindings = node.importClause?.namedBindings;
      const names = bindings && ts.isNamedImports(bindings) ? bindings.elements : [];
      add(
        node.moduleSpecifier,
        bindings && ts.isNamespaceImport(bindings)
          ? null
          : names.map((element) => (element.propertyName ?? element.name).text),
      );
      if (node.importClause?.name) add(node.moduleSpecifier, ['default']);
    } else if (ts.isExportDeclaration(node) && node.exportClause && ts.isNamedExports(node.exportClause))
      add(
        node.moduleSpecifier,
        node.exportClause.elements.map((element) => (element.propertyName ?? element.name).text),
      );
    else if (ts.isImportTypeNode(node)) add(node.argument.literal, node.qualifier ? [node.qualifier.getText()] : null);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], takenNames(node));
  });
  return imports;
}

/** The exports of the counted folders that only tests import, and those that no file does. */
function unusedExports() {
  const exported = new Map([...sources].map(([file, source]) => [file, exportsOf(source)]));
  const users = new Map();
  const use = (file, name, user) => {
    const { names, forwarded } = exported.get(file);
    const key = `${file} ${name}`;
    if (names.has(name)) users.set(key, (users.get(key) ?? new Set()).add(user));
    else for (const target of forwarded) use(target, name, user);
  };
  const allNames = (file) => {
    const { names, forwarded } = exported.get(file);
    return [...names.keys(), ...forwarded.flatMap(allNames)];
  };
  for (const [file, source] of sources) {
    const user = TESTS.includes(file.split('/')[0]) ? 'test' : 'program';
    for (const { file: target, names } of importsOf(source))
      for (const name of names ?? allNames(target)) use(target, name, user);
  }
  for (const name of allNames(PUBLIC)) use(PUBLIC, name, 'program');

  const all = counted.flatMap((source) =>
    [...exported.get(source.fileName).names].map(([name, node]) => ({
      place: place(source, node, name),
      users: users.get(`${source.fileName} ${name}`) ?? new Set(),
    })),
  );
  const unused = all.filter(({ users }) => users.size === 0);
  const forTests = all.filter(({ users }) => users.size > 0 && !users.has('program'));
  return { total: all.length, unused: unused.map(({ place }) => place), forTests: forTests.map(({ place }) => place) };
}

const BRANCHES = new Set([
  ts.SyntaxKind.IfStatement,
  ts.SyntaxKind.ConditionalExpression,
  ts.SyntaxKind.ForStatement,
  ts.SyntaxKind.ForInStatement,
  ts.SyntaxKind.ForOfStatement,
  ts.SyntaxKind.WhileStatement,
  ts.SyntaxKind.DoStatement,
  ts.SyntaxKind.CaseClause,
  ts.SyntaxKind.CatchClause,
]);
const BRANCHING_OPERATORS = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
  ts.SyntaxKind.AmpersandAmpersandEqualsToken,
  ts.SyntaxKind.BarBarEqualsToken,
  ts.SyntaxKind.QuestionQuestionEqualsToken,
]);

/** Ways through a function, as eslint’s rule `complexity` counts them: functions within it are counted for themselves. */
function complexity(node) {
  let ways = 1;
  const visit = (child) => {
    if (ts.isFunctionLike(child)) return;
    if (
      BRANCHES.has(child.kind) ||
      (ts.isBinaryExpression(child) && BRANCHING_OPERATORS.has(child.operatorToken.kind)) ||
      ((ts.isParameter(child) || ts.isBindingElement(child)) && child.initializer) ||
      child.questionDotToken
    )
      ways += 1;
    ts.forEachChild(child, visit);
  };
  ts.forEachChild(node, visit);
  return ways;
}

function largeFunctions() {
  const places = [];
  for (const source of counted) {
    const lines = source.text.split('\n');
    const lineOf = (position) => source.getLineAndCharacterOfPosition(position).line;
    walk(source, (node) => {
      if (!ts.isFunctionLike(node) || !node.body) return;
      const first = lineOf(node.getStart());
      const length = lineOf(node.end) - first + 1;
      const ways = complexity(node);
      if ((length <= MOST_LINES && ways <= MOST_COMPLEXITY) || REASON.test(lines[first - 1] ?? '')) return;
      places.push(place(source, node, `${node.name?.getText() ?? '(no name)'}: ${length} lines, complexity ${ways}`));
    });
  }
  return places;
}

/** The locals and parameters of functions; and those of them whose name is no noun. */
function locals() {
  const places = [];
  let total = 0;
  for (const source of counted) {
    const add = (name) => {
      for (const identifier of boundNames(name)) {
        total += 1;
        if (NO_NOUNS.has(identifier.text)) places.push(place(source, identifier, identifier.text));
      }
    };
    const visit = (node, withinFunction) => {
      if (ts.isVariableDeclaration(node) && withinFunction) add(node.name);
      if (ts.isParameter(node) && node.parent.body && !ts.isParameterPropertyDeclaration(node, node.parent))
        add(node.name);
      ts.forEachChild(node, (child) => visit(child, withinFunction || ts.isFunctionLike(node)));
    };
    visit(source, false);
  }
  return { total, places };
}

/** The pages that people read, without what a script writes. */
function pages() {
  const docs = readdirSync(join(root, 'docs'), { recursive: true }).map((file) => `docs/${file}`);
  const written = ['docs/measured.md', 'docs/configure.md'];
  const atTop = readdirSync(root).filter((file) => file.endsWith('.md'));
  return [...docs.filter((file) => file.endsWith('.md') && !written.includes(file)), ...atTop];
}

/** Sentences of pages with too many words; a piece of code counts as one word, and a step of a chain of arrows as a sentence. */
function longSentences() {
  return pages().flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8')
      .replace(/```[^]*?```/g, '\n\n')
      .replace(/<!--[^]*?-->/g, '')
      .replace(/\]\([^)]*\)/g, ']');
    const blocks = text.split(/\n\s*\n|\n(?=\s*(?:[-*|#]|\d+\. ))|\|/);
    return blocks
      .flatMap((block) =>
        block
          .replace(/`[^`]*`/g, 'x')
          .replace(/\s+/g, ' ')
          .split(/(?<=[.!?])\s+|→/),
      )
      .filter((sentence) => (sentence.match(/\S*[\p{L}\p{N}]\S*/gu) ?? []).length > MOST_WORDS)
      .map((sentence) => `${file}: ${sentence}`);
  });
}

function place(source, node, text) {
  return `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1} ${text}`;
}

const sources = new Map(
  [...COUNTED, ...PROGRAMS, ...TESTS]
    .flatMap(filesBelow)
    .map((file) => [
      file,
      ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true),
    ]),
);
const counted = [...sources.values()].filter(({ fileName }) => COUNTED.includes(fileName.split('/')[0]));

const exportPlaces = unusedExports();
const localPlaces = locals();
const totals = { exports: exportPlaces.total, locals: localPlaces.total };
const placesByLine = {
  'unused exports': exportPlaces.unused,
  'exports for tests alone': exportPlaces.forTests,
  'functions too long or too branched': largeFunctions(),
  'locals without a noun': localPlaces.places,
  'sentences too long': longSentences(),
};

const [option, word = ''] = process.argv.slice(2);
if (option === '--list')
  for (const [line, places] of Object.entries(placesByLine))
    if (line.includes(word)) console.log([line, ...places].join('\n  '));
for (const [line, { of: whole, limit, goal }] of Object.entries(LIMITS)) {
  const count = placesByLine[line].length;
  const number = whole ? Math.round((count / totals[whole]) * 1000) / 10 : count;
  const unit = whole ? ' %' : '';
  console.log(`${line.padEnd(36)}${`${number}${unit}`.padStart(8)}   at most ${limit}${unit}, wanted ${goal}${unit}`);
  if (number > limit) process.exitCode = 1;
}
