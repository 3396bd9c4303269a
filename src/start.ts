/** The program. It says that it starts before it reads the rest, which takes seconds where the disk is slow. */
if (process.stderr.isTTY) process.stderr.write('Starting Graft …\n');
else if (['', 'info', 'debug', 'trace'].includes(process.env.LOG_LEVEL ?? ''))
  process.stderr.write(`${JSON.stringify({ level: 'info', time: new Date().toISOString(), msg: 'starting' })}\n`);

const { main, failToStart } = await import('./server/main.js');
await main().catch(failToStart);
