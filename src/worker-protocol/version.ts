/** The version this code speaks; see PROTOCOL.md, "Changing this protocol". */
export const PROTOCOL_VERSION = 3;

/** All versions this code can speak, highest first. */
export const SUPPORTED_VERSIONS: readonly number[] = [PROTOCOL_VERSION];

/** The highest version that both ends speak, or null. */
export function chooseVersion(
  remoteVersions: readonly number[],
  localVersions: readonly number[] = SUPPORTED_VERSIONS,
): number | null {
  const common = localVersions.filter((version) => remoteVersions.includes(version));
  return common.length === 0 ? null : Math.max(...common);
}
