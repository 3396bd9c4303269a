/**
 * An operation with the shared fragments that it spreads, also through others, behind it: a document that stands for itself.
 * @param {string} text
 * @param {readonly string[]} fragments a text for each
 */
export function withFragments(text, fragments) {
  const byName = new Map(fragments.map((fragment) => [/\bfragment\s+(\w+)/.exec(fragment)[1], fragment]));
  const taken = new Set();
  const take = (from) => {
    for (const [, name] of from.matchAll(/\.\.\.\s*(\w+)/g)) {
      const fragment = byName.get(name);
      if (!fragment || taken.has(fragment)) continue;
      taken.add(fragment);
      take(fragment);
    }
  };
  take(text);
  return [text, ...taken].join('\n');
}
