import { localCaller, type Caller } from '../../kernel/caller.js';

/** Loopback only and one tenant for now: every caller works in the default workspace. */
const LOCAL_CALLER: Caller = localCaller();

export const identifyCaller = (): Caller => LOCAL_CALLER;
