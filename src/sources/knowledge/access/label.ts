/** How answers note that they read a document. */
export const sourceOf = (collectionName: string, documentName: string): string => `${collectionName}/${documentName}`;
