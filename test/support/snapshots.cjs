/** Tests run from dist/; their snapshots stand beside their sources. */
module.exports = {
  resolveSnapshotPath: (path, extension) =>
    path.replace('/dist/test/unit/', '/test/unit/').replace(/([^/]+)\.js$/, `__snapshots__/$1.ts${extension}`),
  resolveTestPath: (path, extension) =>
    path.replace('/test/unit/', '/dist/test/unit/').replace('__snapshots__/', '').replace(`.ts${extension}`, '.js'),
  testPathForConsistencyCheck: '/graft/dist/test/unit/some.test.js',
};
