import { z } from 'zod';
import { RouterMode } from '../../answer/ask/index.js';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';

export const routerFit = defineRunKind({
  kind: 'ROUTER_FIT',
  description:
    'A version of the router learns, from collections and adapters as they are now, which questions belong where.',
  input: storedJson(
    z.object({
      mode: z.enum(RouterMode),
      seed: z.number().int(),
      /** Whether a change of the places asked for it and nobody else: then it waits for everything else. */
      automatic: z.boolean().optional(),
      /** Whether an adapter came, left or changed: then it waits for nothing. */
      urgent: z.boolean().optional(),
    }),
  ),
  output: storedJson(z.object({ version: z.number().int() })),
  occupies: 'router',
});
export type RouterFitContext = ContextOf<typeof routerFit>;
