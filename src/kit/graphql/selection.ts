import { Kind, type GraphQLResolveInfo, type SelectionSetNode } from 'graphql';

/**
 * Whether a caller asks for a field below the one that is resolved, so that what it costs need not be paid otherwise. Directives are
 * not evaluated: what `@include` may leave out counts as asked for.
 * @param path names of fields, outermost first
 */
export function asksFor(info: Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>, path: readonly string[]): boolean {
  const selects = (set: SelectionSetNode | undefined, [name, ...rest]: readonly string[]): boolean =>
    name === undefined ||
    (set?.selections ?? []).some((selection) => {
      switch (selection.kind) {
        case Kind.FIELD:
          return selection.name.value === name && selects(selection.selectionSet, rest);
        case Kind.INLINE_FRAGMENT:
          return selects(selection.selectionSet, [name, ...rest]);
        case Kind.FRAGMENT_SPREAD:
          return selects(info.fragments[selection.name.value]?.selectionSet, [name, ...rest]);
      }
    });
  return info.fieldNodes.some(({ selectionSet }) => selects(selectionSet, path));
}
