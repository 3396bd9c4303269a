import ts from 'typescript';

/** What code does, as text: without types, comments and imports, so that neither a move nor a new word in a comment is a change. */
export const essence = (file, text) =>
  /\.tsx?$/.test(file)
    ? shapeOf(
        ts
          .transpileModule(text, {
            fileName: file,
            compilerOptions: { target: 'ESNext', module: 'ESNext', removeComments: true, jsx: 'preserve' },
          })
          .outputText.replace(/^(?:import|export) [^;]*? from '[^']+';$/gm, ''),
      )
    : text;

/** The syntax tree as text, its locals and parameters by number, so that neither their names nor line breaks count. */
function shapeOf(code) {
  const source = ts.createSourceFile('/code.jsx', code, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JSX);
  const host = { ...ts.createCompilerHost({}), getSourceFile: (name) => (name === '/code.jsx' ? source : undefined) };
  const options = { allowJs: true, noLib: true, noResolve: true, types: [], jsx: ts.JsxEmit.Preserve };
  const checker = ts.createProgram(['/code.jsx'], options, host).getTypeChecker();
  const numbers = new Map();
  const nameOf = (identifier, symbol = checker.getSymbolAtLocation(identifier)) => {
    const declaration = symbol?.valueDeclaration;
    const isLocal =
      declaration &&
      (ts.isVariableDeclaration(declaration) || ts.isParameter(declaration) || ts.isBindingElement(declaration)) &&
      ts.findAncestor(declaration, ts.isFunctionLike);
    if (!isLocal) return identifier.text;
    if (!numbers.has(symbol)) numbers.set(symbol, `$${numbers.size}`);
    return numbers.get(symbol);
  };
  const shape = (node) => {
    if (ts.isParenthesizedExpression(node)) return shape(node.expression);
    if (ts.isShorthandPropertyAssignment(node))
      return `${node.name.text}:${nameOf(node.name, checker.getShorthandAssignmentValueSymbol(node))}`;
    // A property that is read under its own name, with or without saying so.
    const reads =
      ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent) && !node.propertyName && !node.dotDotDotToken;
    if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name))
      return `${node.name.text}:${shape(node.initializer)}`;
    if (ts.isIdentifier(node)) return nameOf(node);
    const parts = reads && ts.isIdentifier(node.name) ? [node.name.text] : [];
    ts.forEachChild(node, (child) => void parts.push(shape(child)));
    if (ts.isVariableDeclarationList(node)) parts.push(node.flags & ts.NodeFlags.BlockScoped);
    if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) parts.push(node.operator);
    if (parts.length > 0) return `${node.kind}(${parts.join(' ')})`;
    if (ts.isJsxText(node)) return node.text.replace(/\s+/g, ' ').trim();
    return ts.isToken(node) ? node.getText(source) : `${node.kind}`;
  };
  return source.statements.map(shape).join('\n');
}
