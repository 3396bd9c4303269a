/** A gateway that works on shadows, in a process of its own, so that tests can really kill it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../../src/platform/database/index.js';
import { labelled } from '../../support/recorded-answers.js';
import { gatewayOn } from './delivery-kit.js';
import { FakeCandidate } from './shadow-kit.js';

const [url] = process.argv.slice(2) as [string];
const slow = new FakeCandidate(async () => {
  await sleep(20);
  return labelled('refund');
});
const gateway = gatewayOn(await openDatabase(url, { unsaid: 'system' }), { askingInBulk: slow });
await gateway.start();
process.stdout.write('watching\n');
