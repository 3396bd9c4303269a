import { DEFAULT_WORKSPACE_ID, type Uuid, type WorkspaceId } from './ids.js';
import { choice } from './record.js';
import { checkedText } from './text.js';

/** From least to most. */
export const Role = choice(
  'Role',
  'What a caller may do. Each role may all that those before it may; each field says which one it needs.',
  {
    ASK: 'Asks, searches and reads.',
    EDIT: 'Also changes documents, data and feedback, reads rows and the answers of others, trains and evaluates.',
    OPERATE: 'Also decides what answers: models, aliases, the router, rollouts.',
    ADMIN: 'Also keys, budgets, workspaces and the audit log.',
  },
);
export type Role = keyof typeof Role;

const RANK: Readonly<Record<Role, number>> = { ASK: 0, EDIT: 1, OPERATE: 2, ADMIN: 3 };

/** Whether `role` is `requiredRole` or more. */
export const isAllowed = (role: Role, requiredRole: Role): boolean => RANK[role] >= RANK[requiredRole];

export interface CallerKey {
  readonly id: Uuid;
  /** The first of the keys that followed one another by rotation: what is counted is counted for all of them. */
  readonly lineId: Uuid;
  readonly prefix: string;
  readonly name: string;
}

/** Groups of whoever reads; null for who reads everything. Documents without labels are read by all. */
export type Groups = readonly string[] | null;

/** What is done for nobody in particular, such as a run, reads only what everybody reads. */
export const EVERYBODY: Groups = [];

/** Who sends a request: the owner of a key, or whoever works at the machine where none is asked for. */
export interface Caller {
  readonly workspaceId: WorkspaceId;
  readonly role: Role;
  /** Whose documents it sees beside those of everybody; null for all of the workspace. */
  readonly groups: Groups;
  /** Null for a caller on loopback from whom no key is asked. */
  readonly key: CallerKey | null;
}

/** Whoever reaches a gateway that asks for no key: it listens on loopback only, so the machine is the door. */
export const localCaller = (workspaceId: WorkspaceId = DEFAULT_WORKSPACE_ID): Caller => ({
  workspaceId,
  role: Role.ADMIN,
  groups: null,
  key: null,
});

/** A caller in one text, for rows that say who did something: the key's name and prefix, or `local`. */
export const callerName = ({ key }: Caller): string => (key === null ? 'local' : `${key.name} (${key.prefix})`);

/** Who stands in the record of a decision: whoever the caller names, by default the caller. @throws BAD_USER_INPUT */
export const deciderOf = (caller: Caller, decider?: string | null): string =>
  checkedText(decider ?? callerName(caller), 'input.by', 200);
