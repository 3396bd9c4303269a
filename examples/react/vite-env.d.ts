/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** Where the gateway answers GraphQL, when not at its usual place. */
  readonly VITE_GRAFT_URL?: string;
}
