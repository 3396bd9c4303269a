const KEY = 'graft:reloaded-for';

/**
 * After an upgrade an open page asks for chunks that no longer exist. It reloads once for such a chunk; should that not help,
 * the error shows instead of a loop.
 */
export function reloadOnceAfterUpgrade(): void {
  window.addEventListener('vite:preloadError', (event) => {
    const wanted = String((event as Event & { payload?: Error }).payload?.message ?? 'chunk');
    if (sessionStorage.getItem(KEY) === wanted) return;
    sessionStorage.setItem(KEY, wanted);
    event.preventDefault();
    window.location.reload();
  });
}
