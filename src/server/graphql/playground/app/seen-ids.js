/**
 * The ids that results of this page held, so that the next operation can be filled with one of them.
 * @typedef {{ id: string, type: string, label: string }} SeenId
 */

const KEPT = 40;
/** Fields that tell a person which object it is, the best first. */
const LABELS = ['name', 'version', 'kind', 'adapterName', 'documentName', 'question', 'status'];

/** @type {readonly SeenId[]} */
let seen = [];
const listeners = new Set();

/** Global ids are `Type:uuid` in base64; what is none of ours has no type. */
function typeOf(id) {
  try {
    return /^([A-Za-z]+):/.exec(atob(id))?.[1] ?? null;
  } catch {
    return null;
  }
}

const labelOf = (object) =>
  LABELS.map((field) => object[field])
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .slice(0, 2)
    .join(', ');

/** @returns {SeenId[]} the ids in a result, the outermost first */
function idsIn(value) {
  if (Array.isArray(value)) return value.flatMap(idsIn);
  if (value === null || typeof value !== 'object') return [];
  const type = typeof value.id === 'string' ? typeOf(value.id) : null;
  const own = type === null ? [] : [{ id: value.id, type, label: labelOf(value) }];
  return [...own, ...Object.values(value).flatMap(idsIn)];
}

function remember(result) {
  const fresh = idsIn(result?.data);
  if (fresh.length === 0) return;
  const known = new Map([...fresh, ...seen].reverse().map((each) => [each.id, each]));
  seen = [...known.values()].reverse().slice(0, KEPT);
  for (const listener of listeners) listener();
}

async function* rememberEach(results) {
  for await (const result of results) {
    remember(result);
    yield result;
  }
}

/** The same fetcher, whose results are looked through for ids as they pass. */
export const remembering = (fetcher) => async (parameters, options) => {
  const result = await fetcher(parameters, options);
  if (result !== null && typeof result === 'object' && Symbol.asyncIterator in result) return rememberEach(result);
  remember(result);
  return result;
};

export const seenIds = () => seen;

export function onSeen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Variables that stand for an id say so: `"the id of the run"`. */
const PLACEHOLDER = /"(?:the|an) id\b[^"]*"/;

/** The variables with the id where the first placeholder stands; null when there is none. */
export const filled = (variables, id) =>
  PLACEHOLDER.test(variables) ? variables.replace(PLACEHOLDER, () => JSON.stringify(id)) : null;
