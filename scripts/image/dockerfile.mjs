// What of a Dockerfile is followed here: enough for ours, and an error for everything else, so that nothing of it is passed over in silence.

/** Its stages, each with its base, its name and its instructions in order: `{ keyword, rest }`. */
export function stagesOf(text) {
  const lines = text.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\\\n/g, ' ');
  const stages = [];
  for (const [, keyword, rest] of lines.matchAll(/^([A-Z]+)\s+(.*)$/gm)) {
    if (keyword !== 'FROM') stages.at(-1).instructions.push({ keyword, rest: rest.trim() });
    else {
      const [base, , name = ''] = rest.split(/\s+/);
      stages.push({ base, name, instructions: [] });
    }
  }
  return stages;
}

/** `NAME=value NAME="value"` as an object. */
export const pairsOf = (text) =>
  Object.fromEntries(
    [...text.matchAll(/([\w.]+)=("[^"]*"|\S*)/g)].map(([, name, value]) => [name, value.replaceAll('"', '')]),
  );

/** The arguments of an instruction in its JSON form, behind what stands before them. */
export const listOf = (text) => JSON.parse(text.slice(text.indexOf('[')));

/** The Debian release and the major version of Node.js in the name of an official image. @throws for any other */
export function officialNode(base) {
  const [, node, suite] = /^node:(\d+)-(\w+)-slim$/.exec(base) ?? [];
  if (suite === undefined)
    throw new Error(`${base} is no image that is known here; expected node:<major>-<Debian release>-slim`);
  return { node, suite };
}
