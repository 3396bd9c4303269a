import type { Access } from '../../operate/access/index.js';
import type { OpenAsking } from '../../answer/ask/index.js';
import type { Knowledge } from '../../sources/knowledge/index.js';
import type { Platform } from '../../platform/platform.js';
import { ModelStore, type Registry } from '../../sources/registry/index.js';
import type { OpenAiParts } from './routes.js';

/** What the endpoint takes of the domains. */
export const openAiParts = (
  { worker, database }: Platform,
  {
    access,
    registry,
    knowledge,
    ask,
  }: { access: Pick<Access, 'hooks'>; registry: Registry; knowledge: Knowledge; ask: Pick<OpenAsking, 'asking'> },
): OpenAiParts => ({
  worker,
  registry: registry.registry,
  asking: ask.asking,
  paying: access.hooks,
  names: { collections: knowledge.collections, adapters: registry.adapters.store, models: new ModelStore(database) },
});
