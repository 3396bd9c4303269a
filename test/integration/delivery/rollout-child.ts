/** A gateway that watches rollouts, in a process of its own, so that tests can really kill it. */
import { openDatabase } from '../../../src/platform/database/index.js';
import { gatewayOn } from './delivery-kit.js';

const [url] = process.argv.slice(2) as [string];
const gateway = gatewayOn(await openDatabase(url, { unsaid: 'system' }));
await gateway.start();
process.stdout.write('watching\n');
