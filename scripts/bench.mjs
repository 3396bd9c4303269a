// `npm run bench -- gateway` runs bench/gateway.ts.
const [name] = process.argv.splice(2, 1);
process.argv.splice(2, 0, `bench/${name ?? ''}`);
await import('./run.mjs');
