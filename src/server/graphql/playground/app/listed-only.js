/** Says above the editor that this gateway answers listed operations only, once it has refused one. */
const tell = () => {
  if (document.getElementById('listed-only')) return;
  const note = document.createElement('div');
  note.id = 'listed-only';
  note.setAttribute('role', 'status');
  note.textContent =
    'This gateway answers listed operations only (GRAFT_OPERATIONS=enforce): those at the left, unchanged. Introspection is not among them, so the editor knows no schema.';
  document.body.prepend(note);
};

const refused = (result) => result?.errors?.some?.(({ extensions }) => extensions?.code === 'OPERATION_NOT_LISTED');

async function* watched(results) {
  for await (const result of results) {
    if (refused(result)) tell();
    yield result;
  }
}

/** A fetcher that looks at what it passes on. */
export const tellingListed = (fetcher) => async (parameters, options) => {
  const result = await fetcher(parameters, options);
  if (typeof result?.[Symbol.asyncIterator] === 'function') return watched(result);
  if (refused(result)) tell();
  return result;
};
