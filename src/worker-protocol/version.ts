/** The version this code speaks; see PROTOCOL.md, "Changing this protocol". */
export const PROTOCOL_VERSION = 3;

/** All versions this code can speak, highest first. */
export const SUPPORTED_VERSIONS: readonly number[] = [PROTOCOL_VERSION];

/** The highest version that both ends speak, or null. */
export function chooseVersion(theirs: readonly number[], ours: readonly number[] = SUPPORTED_VERSIONS): number | null {
  const common = ours.filter((version) => theirs.includes(version));
  return common.length === 0 ? null : Math.max(...common);
}
