// Fitting takes seconds of one core: a thread of its own leaves the gateway's to requests.
import { parentPort, workerData } from 'node:worker_threads';
import { fitMembership, type MembershipRows } from './fit-membership.js';

parentPort?.postMessage(fitMembership(workerData as MembershipRows));
